"""The completion scripts, asked through the shells themselves."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from edge import cli
from edge.cli.completion import SHELLS, script
from edge.cli.program import make_parser

CASES = [
    (["pre"], {"predict"}),
    (["predict", "--form"], {"--format"}),
    (["predict", "--format", ""], {"text", "json", "jsonl", "csv", "srt", "textgrid"}),
    (["predict", "--gender", "f"], {"female"}),
    (["completion", ""], {"bash", "zsh", "fish"}),
    (["completion", "f"], {"fish"}),
    (["info", "--"], {"--help", "--json", "--bundle"}),
]


def shell(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


@pytest.mark.parametrize(("words", "expected"), CASES)
def test_bash_completes_commands_options_and_choices(words, expected):
    assert bash(words) == expected


@pytest.mark.parametrize("words", [["predict"], ["predict", "-o"], ["info", "--bundle"]])
def test_bash_completes_paths_with_spaces(words, tmp_path):
    (tmp_path / "a talk").mkdir()
    (tmp_path / "b.wav").touch()
    assert bash([*words, "a"], tmp_path) == {"a talk"}
    assert bash([*words, "b"], tmp_path) == (set() if words[0] == "info" else {"b.wav"})


def bash(words, folder=None) -> set[str]:
    program = (
        script("bash", make_parser())
        + f"COMP_WORDS=(edge-ser {' '.join(repr(word) for word in words)})\n"
        + f"COMP_CWORD={len(words)}\n"
        + "_edge_ser\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n"
    )
    done = subprocess.run(
        [shell("bash"), "--norc", "-c", program],
        capture_output=True, text=True, check=True, cwd=folder,
    )  # fmt: skip
    assert done.stderr == ""
    return set(done.stdout.split("\n")) - {""}


def test_bash_knows_the_command_after_reading_the_script():
    program = script("bash", make_parser()) + "complete -p edge-ser"
    output = subprocess.check_output([shell("bash"), "-c", program], text=True)
    assert output.strip() == "complete -F _edge_ser edge-ser"


@pytest.mark.parametrize(("words", "expected"), CASES)
def test_fish_completes_commands_options_and_choices(words, expected):
    line = " ".join(["edge-ser", *words])
    program = script("fish", make_parser()) + f"complete -C'{line}'"
    done = subprocess.run(
        [shell("fish"), "--no-config", "-c", program], capture_output=True, text=True, check=True
    )
    offered = {entry.split("\t")[0] for entry in done.stdout.splitlines()}
    assert offered - {"-h", "-o"} >= expected
    if not words[-1].startswith("--f"):
        assert offered - {"-h", "-o"} == expected


def test_zsh_accepts_the_script_and_registers_it():
    program = "autoload -Uz compinit && compinit -u -D\n" + script("zsh", make_parser())
    done = subprocess.run(
        [shell("zsh"), "-f", "-c", program + "print -r -- $_comps[edge-ser]"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == ("_edge_ser", "")


@pytest.mark.parametrize("name", SHELLS)
def test_every_command_and_option_is_in_the_script(name):
    text = script(name, make_parser())
    for word in ("predict", "listen", "info", "completion", "segments", "max-duration", "textgrid"):
        assert word in text


def test_the_command_prints_the_script(capsys):
    assert cli.main(["completion", "bash"]) == 0
    assert capsys.readouterr().out == script("bash", make_parser())
