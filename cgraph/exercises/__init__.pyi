from cgraph.exercises.answers import Answers, read_answers
from cgraph.exercises.class_chart import class_chart
from cgraph.exercises.class_marking import grade_class
from cgraph.exercises.exercise import Exercise
from cgraph.exercises.grading import grade
from cgraph.exercises.questions import Question
from cgraph.exercises.reading import read_exercise
from cgraph.exercises.results import GradeReport, ItemResult, Mistake, PartResult
from cgraph.exercises.sealing import seal
from cgraph.exercises.sheets.blank_answers import blank_answers
from cgraph.exercises.sheets.sheet import sheet
from cgraph.exercises.solutions.solving import Solution, solve
from cgraph.exercises.step_mistakes import step_mistakes
from cgraph.exercises.variants import vary

__all__ = [
    "Answers",
    "Exercise",
    "GradeReport",
    "ItemResult",
    "Mistake",
    "PartResult",
    "Question",
    "Solution",
    "blank_answers",
    "class_chart",
    "grade",
    "grade_class",
    "read_answers",
    "read_exercise",
    "seal",
    "sheet",
    "solve",
    "step_mistakes",
    "vary",
]
