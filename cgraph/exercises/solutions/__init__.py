"""Worked solutions: the record of both passes, and how it is written."""
