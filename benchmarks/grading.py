"""How many submissions are graded in a second: ``python benchmarks/grading.py [SUBMISSIONS]``.

A course of students hands in answers to an exercise of ten questions, half of them wrong by one of the mistakes that
cgraph knows; each is a YAML file. Timed are the command over the folder, and `cgraph.grade` alone.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cgraph as cg

QUESTIONS = """
ask:
  - {id: a, y: h1}
  - {id: b, y: o}
  - {id: c, gate: h1}
  - {id: d, z: x1 -> h2}
  - {id: e, d: J/o}
  - {id: f, d: J/h1}
  - {id: g, d: J/x1 -> h1}
  - {id: h, d: J/x1}
  - {id: i, paths: x1 -> J}
  - {id: j, step: h1 -> o, rate: 0.5}
"""


def answers(exercise, chance):
    given = {}
    for q in exercise.questions:
        number = float(exercise.truths[q.id][""])
        if chance.random() < 0.5:
            number = chance.choice(exercise.possible_mistakes(q.parts[""]))[1]
        given[q.id] = float(f"{number:.4g}")
    return given


def main():
    students = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    chance = random.Random(1)
    network = Path(__file__).parent.parent / "examples" / "math565" / "network.yaml"
    with tempfile.TemporaryDirectory() as folder:
        spec, handed_in = Path(folder, "exercise.yaml"), Path(folder, "answers")
        spec.write_text(network.read_text(encoding="utf-8").split("source:")[0] + QUESTIONS, encoding="utf-8")
        handed_in.mkdir()
        exercise = cg.read_exercise(spec)
        submissions = [answers(exercise, chance) for _ in range(students)]
        for k, given in enumerate(submissions):
            (handed_in / f"s{k:05}.yaml").write_text("\n".join(f"{i}: {v}" for i, v in given.items()), encoding="utf-8")

        exercise = cg.read_exercise(spec)
        start = time.perf_counter()
        reports = [cg.grade(exercise, given) for given in submissions]
        alone = time.perf_counter() - start
        mean = float(sum(r.points for r in reports)) / students
        print(f"{students} submissions of 10 questions, on average {mean:.1f} right; {os.cpu_count()} cores")
        print(f"cgraph.grade: {alone:.2f} s, {students / alone:.0f} submissions per second")
        for jobs in (1, os.cpu_count()):
            start = time.perf_counter()
            command = [sys.executable, "-m", "cgraph", "grade", spec, "--answers", handed_in, "--format", "json"]
            run = subprocess.run([*command, "--jobs", str(jobs)], capture_output=True, text=True, check=False)
            took = time.perf_counter() - start
            assert len(json.loads(run.stdout)["reports"]) == students, run.stderr
            print(f"cgraph grade --jobs {jobs}: {took:.2f} s, {students / took:.0f} submissions per second")


if __name__ == "__main__":
    main()
