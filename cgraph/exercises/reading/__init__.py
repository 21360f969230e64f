"""From a file to an exercise; what each kind of question may say is one row of `kinds.KINDS`."""

from cgraph.exercises.reading.files import exercise_of, read_exercise, with_graph

__all__ = ["exercise_of", "read_exercise", "with_graph"]
