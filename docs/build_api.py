"""Writes docs/api.md from the docstrings: python docs/build_api.py [--check]

The sources are parsed, not imported, so that it needs nothing but Python, and says the same
wherever it runs. --check writes nothing, and exits with 1 when the page is out of date.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "api.md"

CHAPTERS = {
    "Recognition": ("recognizer", "prediction", "voice", "affect", "labels"),
    "Live sound": ("stream", "events", "turns", "steadiness", "voice_activity", "microphone"),
    "Sound": ("audio", "quality"),
    "Output": ("formats", "plot"),
    "Models and settings": ("bundle", "features", "gender", "emotion", "windows"),
    "Errors": ("errors",),
}
"""The modules that are documented, without `edge.`; one that is not there is left out."""

HEADING = """\
# API reference

Made from the docstrings by `python docs/build_api.py`; do not edit it here.

Names in **bold** can be imported from `edge` itself, the others from their module. Arrays are
numpy's; a shape such as `(frames, 128)` stands beside each.
"""


def main() -> int:
    """Writes the page, or checks it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    options = parser.parse_args()
    page = build()
    if not options.check:
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page:
        return 0
    print("docs/api.md is out of date; run: python docs/build_api.py", file=sys.stderr)
    return 1


def build() -> str:
    """The page as Markdown."""
    top_level = set(_exported())
    contents, body = [], []
    for chapter, names in CHAPTERS.items():
        modules = [Module.read(name) for name in names if (ROOT / f"edge/{name}.py").is_file()]
        contents.append(f"- [{chapter}](#{_anchor(chapter)}): " + _listed(modules, top_level))
        body.append(f"## {chapter}\n")
        for module in modules:
            body += module.lines(top_level)
    return "\n".join([HEADING, *contents, "", *body]).rstrip() + "\n"


def _exported() -> list[str]:
    tree = ast.parse((ROOT / "edge/__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    raise LookupError("edge/__init__.py has no __all__")


def _listed(modules: list[Module], top_level: set[str]) -> str:
    names = [name for module in modules for name in module.names if name in top_level]
    others = [f"`edge.{m.name}`" for m in modules if not top_level & set(m.names)]
    return ", ".join([f"[`{name}`](#{name.lower()})" for name in names] + others)


@dataclass(frozen=True)
class Module:
    """One source file of the package."""

    name: str
    source: str
    tree: ast.Module

    @classmethod
    def read(cls, name: str) -> Module:
        """Parses edge/`name`.py."""
        source = (ROOT / f"edge/{name}.py").read_text(encoding="utf-8")
        return cls(name, source, ast.parse(source))

    def fields(self, node: ast.ClassDef) -> Iterator[tuple[ast.AnnAssign, str | None]]:
        """A class's annotated, public fields, each with the text below or the comment beside it."""
        lines = self.source.splitlines()
        for field, text in _with_following_text(node.body):
            if isinstance(field, ast.AnnAssign) and not ast.unparse(field.target).startswith("_"):
                beside = lines[field.end_lineno - 1][field.end_col_offset :].strip()
                yield field, text or beside.lstrip("# ") or None

    @property
    def names(self) -> list[str]:
        """Every public name that it defines, in order."""
        return [name for name, _, _ in self._members()]

    def lines(self, top_level: set[str]) -> Iterator[str]:
        """Its part of the page."""
        yield f"### edge.{self.name}\n"
        yield markdown(ast.get_docstring(self.tree) or "") + "\n"
        for name, node, text in self._members():
            shown = f"**{name}**" if name in top_level else name
            yield f"#### {shown}\n"
            if isinstance(node, ast.ClassDef):
                yield from self._class_lines(node)
            elif isinstance(node, ast.FunctionDef):
                yield _code(_signature(node))
                yield markdown(ast.get_docstring(node) or "") + "\n"
            else:
                yield _code(_shortened(ast.unparse(node)))
                yield markdown(text or "") + "\n"

    def _class_lines(self, node: ast.ClassDef) -> Iterator[str]:
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        methods = [
            each
            for each in node.body
            if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")
        ]
        made_by = next(
            (e for e in node.body if isinstance(e, ast.FunctionDef) and e.name == "__init__"), None
        )
        head = f"class {node.name}({bases})" if bases else f"class {node.name}"
        yield _code(head if made_by is None else f"{head}\n{_signature(made_by, node.name)}")
        yield markdown(ast.get_docstring(node) or "") + "\n"
        fields = [_field(field, text) for field, text in self.fields(node)]
        if fields:
            yield "\n".join(fields) + "\n"
        for method in methods:
            decorators = {ast.unparse(each) for each in method.decorator_list}
            if decorators & {"property", "cached_property"}:
                returns = f": {ast.unparse(method.returns)}" if method.returns else ""
                yield f"##### {node.name}.{method.name}\n\n" + _code(f"{method.name}{returns}")
            else:
                prefix = "@classmethod\n" if "classmethod" in decorators else ""
                yield f"##### {node.name}.{method.name}\n\n" + _code(prefix + _signature(method))
            yield markdown(ast.get_docstring(method) or "") + "\n"

    def _members(self) -> Iterator[tuple[str, ast.stmt, str | None]]:
        """Public classes, functions, and constants that have a docstring."""
        for node, text in _with_following_text(self.tree.body):
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                if not node.name.startswith("_"):
                    yield node.name, node, None
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                name = ast.unparse(target)
                if text is not None and not name.startswith("_"):
                    yield name, node, text


def _with_following_text(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str | None]]:
    """Each statement with the bare string that stands below it, which documents it."""
    for node, below in zip(body, [*body[1:], None]):
        text = None
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            text = inspect.cleandoc(below.value.value)
        yield node, text


def _field(field: ast.AnnAssign, text: str | None) -> str:
    """A list item."""
    value = "" if field.value is None else f" = {ast.unparse(field.value)}"
    declared = f"{ast.unparse(field.target)}: {ast.unparse(field.annotation)}{value}"
    return f"- `{declared}`" + (f"  \n  {' '.join(text.split())}" if text else "")


def _signature(node: ast.FunctionDef, name: str | None = None) -> str:
    """As in the source, with `self` and `cls` left out, one argument a line when it is long."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + arguments.defaults
    shown = [
        _argument(argument, default)
        for argument, default in zip(positional, defaults)
        if argument.arg not in ("self", "cls")
    ]
    if arguments.vararg is not None:
        shown.append("*" + _argument(arguments.vararg, None))
    elif arguments.kwonlyargs:
        shown.append("*")
    shown += map(_argument, arguments.kwonlyargs, arguments.kw_defaults)
    if arguments.kwarg is not None:
        shown.append("**" + _argument(arguments.kwarg, None))
    returns = f" -> {ast.unparse(node.returns)}" if node.returns and name is None else ""
    line = f"{name or node.name}({', '.join(shown)}){returns}"
    if len(line) <= 88:
        return line
    return "\n".join([f"{name or node.name}(", *(f"    {each}," for each in shown), f"){returns}"])


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    annotation = f": {ast.unparse(argument.annotation)}" if argument.annotation else ""
    if default is None:
        return argument.arg + annotation
    equals = " = " if annotation else "="
    return f"{argument.arg}{annotation}{equals}{ast.unparse(default)}"


def _shortened(constant: str) -> str:
    return constant if len(constant) <= 100 else constant.split(" = ")[0] + " = ..."


def _code(text: str) -> str:
    return f"```python\n{text}\n```\n"


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def markdown(docstring: str) -> str:
    """The house's docstrings as Markdown.

    A line `name: what it is`, with its indented continuation, is a list item; other indented
    lines are code; what a function returns or raises, and its source, are paragraphs.
    """
    blocks: list[tuple[str, list[str]]] = []
    for paragraph in re.split(r"\n[ \t]*\n", inspect.cleandoc(docstring)):
        if paragraph.startswith(">>> "):
            blocks.append(("example", paragraph.split("\n")))
            continue
        fresh = True
        for line in paragraph.split("\n"):
            kind = _kind(line, "text" if fresh or not blocks else blocks[-1][0])
            begins = fresh or kind != blocks[-1][0] or _begins_a_block(line)
            if begins and not (fresh and kind == "code" and blocks and blocks[-1][0] == "code"):
                blocks.append((kind, []))
            elif fresh:
                blocks[-1][1].append("")
            blocks[-1][1].append(line)
            fresh = False
    text = "\n".join(_block(kind, lines) for kind, lines in blocks)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _kind(line: str, before: str) -> str:
    if line.startswith("    "):
        return "item" if before == "item" else "code"
    if before == "item" and line[:1].islower():  # its sentence goes on
        return "item"
    return "item" if _argument_names(line) else "text"


def _begins_a_block(line: str) -> bool:
    return _argument_names(line) or line.startswith(("Returns ", "Raises ", "Source: "))


def _argument_names(line: str) -> bool:
    """Whether the line begins with names of arguments and a colon."""
    head, colon, _ = line.partition(": ")
    names = [name.strip().lstrip("*") for name in head.split(",")]
    return bool(colon) and all(re.fullmatch("[a-z_][a-z_0-9]*", name) for name in names)


def _block(kind: str, lines: list[str]) -> str:
    if kind == "code":
        return "```\n" + "\n".join(line[4:] for line in lines) + "\n```\n"
    if kind == "example":
        return "```pycon\n" + "\n".join(lines) + "\n```\n"
    if kind == "item":
        names, _, text = " ".join(line.strip() for line in lines).partition(": ")
        return f"- `{names}`: {text}"
    return "\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
