"""The parser of the command line: each option once, a question where a word is misspelled, and the types of values."""

from __future__ import annotations

import argparse
import difflib
import json
import math
import re
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["Parser", "binding", "budget", "count", "limit", "node", "number", "words"]

LIMITS = ("entries", "total", "seconds")


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal, up to 100 columns."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=16, width=min(100, shutil.get_terminal_size().columns - 2))


class _StoreOnce(argparse._StoreAction):  # noqa: SLF001 - argparse names no action in public
    """Store a value; a second one would put the first aside without a word."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        _refuse_repetition(self, namespace, option)
        super().__call__(parser, namespace, values, option)


class _StoreTrueOnce(argparse._StoreTrueAction):  # noqa: SLF001 - as above
    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        _refuse_repetition(self, namespace, option)
        super().__call__(parser, namespace, values, option)


def _refuse_repetition(action: argparse.Action, namespace: argparse.Namespace, option: str | None) -> None:
    given: set[str] = vars(namespace).setdefault("given", set())
    if option is not None and action.dest in given:
        raise argparse.ArgumentError(action, "is given twice")
    given.add(action.dest)


class Parser(argparse.ArgumentParser):
    """A parser that takes each option once, unless it adds up, and asks what a misspelled word means."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=Formatter, **options)
        self.register("action", None, _StoreOnce)
        self.register("action", "store", _StoreOnce)
        self.register("action", "store_true", _StoreTrueOnce)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        choices = [str(choice) for choice in action.choices or ()]
        if choices and str(value) not in choices and (close := nearest_word(str(value), choices)):
            raise argparse.ArgumentError(action, f"invalid choice: {value!r}; did you mean {close!r}?")
        super()._check_value(action, value)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help; that it cannot be written is an error, over which argparse would pass in silence."""
        if message and file is not None and file is sys.stdout:
            file.write(message)
            file.flush()
        else:
            super()._print_message(message, file)

    def refuse_rest(self, rest: Sequence[str]) -> NoReturn:
        """Say what is wrong with words that nothing on the command line asked for."""
        options = [option for action in self._actions for option in action.option_strings]
        first = rest[0]
        if first.startswith("-"):
            name = first.partition("=")[0]
            close = nearest_word(name.lstrip("-"), [option.lstrip("-") for option in options])
            self.error(f"there is no option {name}" + (f"; did you mean --{close}?" if len(close) > 1 else ""))
        if re.fullmatch(r"[^=]+=[^=]+", first) and "--at" in options:
            self.error(f"write --at before each value: --at {first}")
        self.error(f"unrecognized arguments: {' '.join(rest)}")


def nearest_word(word: str, words: Sequence[str]) -> str:
    """Return the one of `words` that looks most like `word`, or ""."""
    if same := [other for other in words if other.casefold() == word.casefold()]:
        return same[0]
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.7)
    return close[0] if close else ""


def node(text: str) -> str:
    """Return the name of a node, its accents joined to their letters as in specs."""
    return unicodedata.normalize("NFC", text)


def binding(text: str) -> tuple[str, Any]:
    """Return the name and the value of ``x=2``, ``x=[1, 2]`` or ``x=file.npy``, of a file its path."""
    name, _, value = node(text).rpartition("=")
    if re.fullmatch(r"\S.*\.(npy|csv)", value, re.IGNORECASE) and name.strip() and "=" not in name:
        return name.strip(), Path(value)
    is_list = value.lstrip().startswith("[")
    try:
        found = json.loads(value) if is_list else float(value)
    except (ValueError, RecursionError):
        found = math.nan
    if name.strip() and "=" not in name and _is_finite(found):
        return name.strip(), found
    if re.fullmatch(r"[^=,]+=[^=,]+(,[^=,]+=[^=,]+)+", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} sets several; write {' '.join(f'--at {t}' for t in text.split(','))}"
        )
    wanted = "NAME=LIST of numbers, as in 'x=[1, 2]'" if is_list else "NAME=NUMBER, as in x=2.5"
    raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")


def _is_finite(value: Any) -> bool:
    """Whether every entry of nested lists, or the one that a number is, is a finite number."""
    todo = [value]
    while todo:
        entry = todo.pop()
        if isinstance(entry, list):
            todo += entry
        elif type(entry) not in {int, float} or not math.isfinite(entry):
            return False
    return True


def count(text: str) -> int:
    """Return a positive whole number."""
    if text.isascii() and text.isdigit() and int(text[:12]) > 0:
        return int(text[:12])
    raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number, as in 5")


def words(text: str) -> tuple[str, ...]:
    """Return words with commas between them."""
    return tuple(word.strip() for word in text.split(","))


def budget(text: str) -> str:
    """Return a number of evaluations or a time."""
    if re.fullmatch(r"\d+|(\d+\.?\d*|\.\d+)(ms|s|min)", text) and text.strip("0.msin"):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is neither a number of evaluations nor a time, as in 10s")


def number(text: str) -> float:
    """Return a finite number."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if math.isfinite(found):
        return found
    raise argparse.ArgumentTypeError(f"{text!r} is not a finite number, as in 0.1")


def limit(text: str) -> tuple[str, float]:
    """Return a limit by its name: ``entries=1000000``, ``total=5000000``, ``seconds=10``."""
    name, _, value = text.partition("=")
    if name not in LIMITS:
        raise argparse.ArgumentTypeError(f"{text!r} is no limit; they are {', '.join(LIMITS)}, as in entries=1000000")
    found = number(value)
    if found <= 0 or (name != "seconds" and found != int(found)):
        raise argparse.ArgumentTypeError(f"{text!r} is no limit; write a positive number, as in {name}=100")
    return name, found if name == "seconds" else int(found)
