"""What follows from the rows of the table of operations: functions, code for other targets, derivatives."""
