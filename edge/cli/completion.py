"""`edge-ser completion SHELL`: prints a script that completes the command line in that shell.

The scripts are made from the parser itself, so that they know every command, option and choice.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

from edge.cli.terminal import PROGRAM

SHELLS = ("bash", "zsh", "fish")

USAGE = f"""\
to use it:
  bash   eval "$({PROGRAM} completion bash)"     in ~/.bashrc
  zsh    eval "$({PROGRAM} completion zsh)"      in ~/.zshrc, after compinit
  fish   {PROGRAM} completion fish > ~/.config/fish/completions/{PROGRAM}.fish
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("shell", choices=SHELLS, help="the shell that will read the script")


def script(shell: str, parser: argparse.ArgumentParser) -> str:
    """The script for one of `SHELLS` that completes what the parser takes."""
    commands = list(_commands(parser))
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](commands)


@dataclass(frozen=True)
class _Option:
    names: tuple[str, ...]
    help: str
    takes: str
    """What follows it: "nothing", "file", "folder", "text" or "choice"."""
    choices: tuple[str, ...]


@dataclass(frozen=True)
class _Command:
    name: str
    """Empty for what stands before a command's name."""
    help: str
    options: tuple[_Option, ...]
    positional: _Option | None


def _commands(parser: argparse.ArgumentParser) -> Iterator[_Command]:
    below = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    helps = {action.dest: action.help or "" for action in below._choices_actions}
    yield _Command("", "", tuple(_options(parser)), None)
    for name, command in below.choices.items():
        positional = [_described(a) for a in command._actions if not a.option_strings]
        first = positional[0] if positional else None
        yield _Command(name, helps.get(name, ""), tuple(_options(command)), first)


def _options(parser: argparse.ArgumentParser) -> Iterator[_Option]:
    for action in parser._actions:
        if action.option_strings and action.help != argparse.SUPPRESS:
            yield _described(action)


def _described(action: argparse.Action) -> _Option:
    choices = tuple(map(str, action.choices or ()))
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    if action.nargs == 0:
        takes = "nothing"
    elif choices:
        takes = "choice"
    elif metavar == "DIR":
        takes = "folder"
    elif metavar in ("FILE", "PATH", "VOICE"):
        takes = "file"
    else:
        takes = "text"
    text = (action.help or "").split(" (default")[0].split(";")[0]
    return _Option(tuple(action.option_strings), text, takes, choices)


def _bash(commands: list[_Command]) -> str:
    outer, *named = commands
    words = " ".join([*(n for option in outer.options for n in option.names), *_names(named)])
    cases = "\n".join(_bash_case(command) for command in named)
    return f"""\
# bash completion for {PROGRAM}
_edge_ser() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
    local command=${{COMP_WORDS[1]}}
    COMPREPLY=()
    compopt +o filenames 2>/dev/null
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W '{words}' -- "$current"))
        return
    fi
    case $command in
{cases}
    esac
}}
_edge_ser_paths() {{
    compopt -o filenames 2>/dev/null
    local IFS=$'\\n'
    COMPREPLY=($(compgen "$1" -- "$2"))
}}
complete -F _edge_ser {PROGRAM}
"""


def _bash_case(command: _Command) -> str:
    lines = [f"        {command.name})", "            case $previous in"]
    for option in command.options:
        if option.takes != "nothing":
            pattern = "|".join(option.names)
            lines.append(f"                {pattern}) {_bash_action(option)}; return ;;")
    lines += ["            esac", "            if [[ $current == -?* ]]; then"]
    names = " ".join(name for option in command.options for name in option.names)
    lines.append(f"                COMPREPLY=($(compgen -W '{names}' -- \"$current\"))")
    if command.positional is not None:
        lines += ["            else", f"                {_bash_action(command.positional)}"]
    lines += ["            fi ;;"]
    return "\n".join(lines)


def _bash_action(option: _Option) -> str:
    if option.takes == "choice":
        return f"COMPREPLY=($(compgen -W '{' '.join(option.choices)}' -- \"$current\"))"
    if option.takes == "folder":
        return '_edge_ser_paths -d "$current"'
    if option.takes == "file":
        return '_edge_ser_paths -f "$current"'
    return ":"


def _zsh(commands: list[_Command]) -> str:
    outer, *named = commands
    names = "\n".join(f"        {_quoted(f'{c.name}:{c.help}')}" for c in named)
    cases = "\n".join(
        f"        {command.name})\n            _arguments -s \\\n                "
        + " \\\n                ".join(_zsh_arguments(command))
        + " ;;"
        for command in named
    )
    first = " \\\n        ".join(_zsh_arguments(outer))
    return f"""\
#compdef {PROGRAM}
_edge_ser() {{
    local curcontext=$curcontext state line
    local -a commands
    commands=(
{names}
    )
    _arguments -C \\
        {first} \\
        '1: :->command' '*:: :->arguments'
    case $state in
    command) _describe -t commands command commands ;;
    arguments)
        case $line[1] in
{cases}
        esac ;;
    esac
}}
if [[ $funcstack[1] == _edge_ser ]]; then _edge_ser "$@"; else compdef _edge_ser {PROGRAM}; fi
"""


def _zsh_arguments(command: _Command) -> Iterator[str]:
    for option in command.options:
        excluded = f"({' '.join(option.names)})" if len(option.names) > 1 else ""
        described = option.help.replace("[", "(").replace("]", ")")
        action = "" if option.takes == "nothing" else f":{option.takes}:{_zsh_action(option)}"
        for name in option.names:
            yield _quoted(f"{excluded}{name}[{described}]{action}")
    if command.positional is not None:
        yield _quoted(f"*:{command.positional.takes}:{_zsh_action(command.positional)}")


def _zsh_action(option: _Option) -> str:
    if option.takes == "choice":
        return f"({' '.join(option.choices)})"
    return {"folder": "_files -/", "file": "_files"}.get(option.takes, " ")


def _fish(commands: list[_Command]) -> str:
    outer, *named = commands
    lines = [f"# fish completion for {PROGRAM}", f"complete -c {PROGRAM} -f"]
    lines += [_fish_line("__fish_use_subcommand", option) for option in outer.options]
    for command in named:
        lines.append(
            f"complete -c {PROGRAM} -n __fish_use_subcommand -a {command.name} "
            f"-d {_fish_quoted(command.help)}"
        )
        within = f"'__fish_seen_subcommand_from {command.name}'"
        lines += [_fish_line(within, option) for option in command.options]
        if command.positional is not None:
            lines.append(f"complete -c {PROGRAM} -n {within} {_fish_action(command.positional)}")
    return "\n".join(lines) + "\n"


def _fish_line(condition: str, option: _Option) -> str:
    names = " ".join(
        f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names
    )
    action = "" if option.takes == "nothing" else f" -r {_fish_action(option)}"
    described = _fish_quoted(option.help)
    return f"complete -c {PROGRAM} -n {condition} {names}{action} -d {described}"


def _fish_action(option: _Option) -> str:
    if option.takes == "choice":
        return f"-f -a {_fish_quoted(' '.join(option.choices))}"
    if option.takes == "folder":
        return "-f -a '(__fish_complete_directories)'"
    return "-F" if option.takes == "file" else "-f"


def _names(commands: list[_Command]) -> list[str]:
    return [command.name for command in commands]


def _quoted(text: str) -> str:
    """For bash and zsh."""
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
