"""The tables of operations: values, derivatives and domains, of numbers and of arrays."""
