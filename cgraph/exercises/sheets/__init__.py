"""Sheets of an exercise: the questions, the solution, and a blank file for the answers."""
