"""The text of an equation, and the steps it stands for."""
