"""Every exercise of the examples: right answers are right, and wrong ones are called by the mistake they stand for."""

import sys
from pathlib import Path

import cgraph as cg
from cgraph.reports.tables import Table, to_text
from cgraph.specs.reading import read_document

rows, misses = [], 0
for path in sorted(Path(__file__).parent.glob("*/answers/*.yaml")):
    spec = path.parent.parent / path.name
    exercise = cg.read_exercise(spec if spec.exists() else spec.with_suffix(".toml"))
    answers = read_document(path).data
    right = cg.grade(exercise, answers["right"])
    wrong_items = [item.question.id for item in right.items if item.status != "right"]
    rows += [(path.stem, id, "right answer", "NOT right <- miss") for id in wrong_items]
    misses += len(wrong_items)
    named = listed = 0
    for wrong in answers["wrong"]:
        item = cg.grade(exercise, {wrong["item"]: wrong["answer"]})[str(wrong["item"])]
        said = [m.what for part in item.parts for m in part.mistakes]
        if item.status == "right" or (wrong["mistake"] and wrong["mistake"] not in said):
            misses += 1
            rows.append((path.stem, wrong["item"], wrong["mistake"], f"{item.status}: {'; '.join(said)} <- miss"))
        named += len(said) == 1
        listed += len(said) > 1
    what = f"{len(right.items)} items, {len(answers['wrong'])} wrong answers"
    rows.append((path.stem, "", what, f"{named} mistakes named, {listed} among several"))
print(to_text(Table(("exercise", "item", "what", "found"), rows)))
sys.exit(int(misses > 0 or not rows))
