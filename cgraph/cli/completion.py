"""Completion scripts, made from the parser so that they never fall behind it."""

from __future__ import annotations

import argparse

from cgraph.cli.parser import build_parser

__all__ = ["completion_script"]

_BASH = """\
# bash completion for cgraph: source <(cgraph completion bash)
_cgraph() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words
    case $before in
{values}
    esac
    if [[ -z $words ]]; then
        case ${{COMP_WORDS[1]}} in
{options}
        *) words="{commands} --help --version" ;;
        esac
        [[ $COMP_CWORD -eq 1 ]] && words="{commands} --help --version"
    fi
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
    values = {
        (o, tuple(a.choices)) for c in commands.values() for a in _options(c) if a.choices for o in a.option_strings
    }
    bash = _BASH.format(
        commands=" ".join(commands),
        values="\n".join(f'    {option}) words="{" ".join(choices)}" ;;' for option, choices in sorted(values)),
        options="\n".join(f'        {name}) words="{" ".join(_words(sub))}" ;;' for name, sub in commands.items()),
    )
    return _ZSH.format(bash=bash) if shell == "zsh" else bash


def _commands() -> dict[str, argparse.ArgumentParser]:
    for action in build_parser()._actions:  # noqa: SLF001 - argparse has no public way to list them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            return dict(action.choices)
    raise AssertionError("the parser has commands")


def _options(sub: argparse.ArgumentParser) -> list[argparse.Action]:
    return sub._actions  # noqa: SLF001 - as above


def _words(sub: argparse.ArgumentParser) -> list[str]:
    """Return the options of a command, and the words that can stand in its place for a file."""
    options = [option for action in _options(sub) for option in action.option_strings]
    return options + [str(c) for action in _options(sub) if not action.option_strings for c in action.choices or ()]


def _fish(commands: dict[str, argparse.ArgumentParser]) -> str:
    lines = ["# fish completion for cgraph: cgraph completion fish | source"]
    for name, sub in commands.items():
        summary = (sub.description or "").rstrip(".").replace("'", "\\'")
        lines.append(f"complete -c cgraph -f -n __fish_use_subcommand -a {name} -d '{summary}'")
        for action in _options(sub):
            flags = " ".join(f"-l {o[2:]}" if o.startswith("--") else f"-s {o[1:]}" for o in action.option_strings)
            choices = f"-x -a '{' '.join(map(str, action.choices))}'" if action.choices else ""
            takes = "-r" if flags and action.nargs != 0 and not choices else ""
            if flags or choices:
                line = f"complete -c cgraph -n '__fish_seen_subcommand_from {name}' {flags} {takes} {choices}"
                lines.append(" ".join(line.split()))
    return "\n".join(lines)
