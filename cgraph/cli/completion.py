"""Completion scripts, generated from the parser so that they are always current."""

from __future__ import annotations

import argparse

from cgraph.cli.parser import build_parser

__all__ = ["completion_script"]

_BASH = """\
# bash completion for cgraph: source <(cgraph completion bash)
_cgraph() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words=
    # bash takes --format=json for three words
    [[ $before == = ]] && before=${{COMP_WORDS[COMP_CWORD-2]}}
    [[ $word == = ]] && word=
    case $COMP_CWORD,${{COMP_WORDS[1]}},$before in
    1,*) words="{commands} --help --version" ;;
{values}
    *)
        case ${{COMP_WORDS[1]}},$word in
{words}
        esac ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o bashdefault -o default -F _cgraph cgraph"""

_ZSH = """\
#compdef cgraph
# zsh completion for cgraph: source <(cgraph completion zsh)
autoload -U +X bashcompinit && bashcompinit
{bash}"""


def completion_script(shell: str) -> str:
    """Return the script that completes commands, options and their fixed values, and else file names."""
    commands = _commands()
    if shell == "fish":
        return _fish(commands)
    bash = _BASH.format(
        commands=" ".join(commands),
        values="\n".join(_bash_values(n, a) for n, sub in commands.items() for a in _options(sub) if _takes_value(a)),
        words="\n".join(line for name, sub in commands.items() for line in _bash_words(name, sub)),
    )
    return _ZSH.format(bash=bash) if shell == "zsh" else bash


def _commands() -> dict[str, argparse.ArgumentParser]:
    for action in build_parser()._actions:  # noqa: SLF001 - argparse has no public way to list them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            return dict(action.choices)
    raise AssertionError("the parser has commands")


def _options(sub: argparse.ArgumentParser) -> list[argparse.Action]:
    return sub._actions  # noqa: SLF001 - as above


def _takes_value(action: argparse.Action) -> bool:
    return bool(action.option_strings) and action.nargs != 0


def _bash_values(name: str, action: argparse.Action) -> str:
    """Return the line that offers the values of a command's option; a name or a number can be anything."""
    options = "|".join(f"*,{name},{option}" for option in action.option_strings)
    return f'    {options}) words="{" ".join(map(str, action.choices or ()))}" ;;'


def _bash_words(name: str, sub: argparse.ArgumentParser) -> list[str]:
    """Return the lines that offer a command's options after a dash, and else what may stand in place of a file."""
    options = " ".join(option for action in _options(sub) for option in action.option_strings)
    places = " ".join(str(c) for action in _options(sub) if not action.option_strings for c in action.choices or ())
    lines = [f'        {name},-*) words="{options}" ;;']
    return [*lines, f'        {name},*) words="{places}" ;;'] if places else lines


def _fish(commands: dict[str, argparse.ArgumentParser]) -> str:
    lines = ["# fish completion for cgraph: cgraph completion fish | source"]
    for name, sub in commands.items():
        summary = (sub.description or "").rstrip(".").replace("'", "\\'")
        lines.append(f"complete -c cgraph -f -n __fish_use_subcommand -a {name} -d '{summary}'")
        for action in _options(sub):
            flags = " ".join(f"-l {o[2:]}" if o.startswith("--") else f"-s {o[1:]}" for o in action.option_strings)
            choices = f"-x -a '{' '.join(map(str, action.choices))}'" if action.choices else ""
            takes = "-r" if _takes_value(action) and not choices else ""
            if flags or choices:
                line = f"complete -c cgraph -n '__fish_seen_subcommand_from {name}' {flags} {takes} {choices}"
                lines.append(" ".join(line.split()))
    return "\n".join(lines)
