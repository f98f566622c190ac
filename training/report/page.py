"""The page around the report's sections: one file, nothing fetched."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_STYLE = """
:root { --ink: #22282d; --soft: #66707a; --line: #e1e5e8; --warm: #c2593f; --cool: #2f6f8f; }
* { box-sizing: border-box; }
body { font: 15px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; color: var(--ink);
       margin: 0; background: #f5f6f7; }
header { background: linear-gradient(105deg, #23424f, #2f6f8f 55%, #8f5a4f); color: #fff;
         padding: 2.4rem 1rem 2rem; }
header > *, main, nav > div { max-width: 70rem; margin: 0 auto; padding: 0 1rem; }
header h1 { font-size: 1.9rem; margin: 0 auto .2rem; font-weight: 650; letter-spacing: -.01em; }
header p { margin: 0 auto; opacity: .85; }
nav { position: sticky; top: 0; background: #fffffff2; border-bottom: 1px solid var(--line);
      z-index: 2; }
nav > div { display: flex; gap: 1.3rem; overflow-x: auto; padding: .6rem 1rem; font-size: 13px; }
nav a { color: var(--soft); text-decoration: none; white-space: nowrap; }
nav a:hover { color: var(--warm); }
section { background: #fff; border: 1px solid var(--line); border-radius: 10px; margin: 1.3rem 0;
          padding: 1.2rem 1.5rem 1.4rem; scroll-margin-top: 3.2rem; }
h2 { font-size: 1.25rem; margin: 0 0 .5rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
section > p { max-width: 48rem; margin: .3rem 0 .9rem; color: #454d54; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .8rem;
         margin: .4rem 0; }
.tile { border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; }
.tile b { display: block; font-size: 1.65rem; font-weight: 620; line-height: 1.2; }
.tile span { color: var(--soft); font-size: 12.5px; } .tile i { font-style: normal;
       color: var(--soft); font-size: 12.5px; display: block; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 550; text-align: right; vertical-align: bottom; }
td { text-align: right; } th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child, .words td, .words th { text-align: left; }
tr.strong td { font-weight: 620; }
.wide { overflow-x: auto; margin: .6rem 0; } img { max-width: 100%; display: block;
       margin: .5rem 0; }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--cool); font-size: 14px; }
pre { font-size: 12px; overflow-x: auto; background: #f5f6f7; padding: .8rem; border-radius: 6px; }
.warning { border-left: 4px solid var(--warm); padding: .5rem .9rem; background: #fbf1ee;
           border-radius: 0 6px 6px 0; max-width: 48rem; }
.fine { border-left: 4px solid #4a7c59; padding: .5rem .9rem; background: #eef5f0;
        border-radius: 0 6px 6px 0; max-width: 48rem; }
.side { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
.side > * { flex: 1 1 22rem; min-width: 0; }
footer { color: var(--soft); font-size: 12.5px; text-align: center; padding: .6rem 0 2rem; }
"""


@dataclass(frozen=True)
class Section:
    """A part of the page: title, and its body as HTML."""

    title: str
    body: str

    @property
    def anchor(self) -> str:
        return "".join(c if c.isalnum() else "-" for c in self.title.lower())


@dataclass(frozen=True)
class Tile:
    """A headline figure."""

    what: str
    figure: str
    beside: str = ""


def make_page(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """The page's text."""
    links = "".join(
        f'<a href="#{part.anchor}">{html.escape(part.title)}</a>' for part in sections
    )
    body = "\n".join(
        f'<section id="{part.anchor}"><h2>{html.escape(part.title)}</h2>\n{part.body}</section>'
        for part in sections
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>\n<body>"
        f"<header><h1>{html.escape(title)}</h1><p>{html.escape(subtitle)}</p></header>"
        f"<nav><div>{links}</div></nav>\n<main>{body}</main>\n"
        "<footer>Written by python -m training report.</footer></body></html>\n"
    )


def tiles(figures: Iterable[Tile]) -> str:
    """Headline figures side by side."""
    cells = "".join(
        f'<div class="tile"><span>{html.escape(tile.what)}</span><b>{html.escape(tile.figure)}</b>'
        f"<i>{html.escape(tile.beside)}</i></div>"
        for tile in figures
    )
    return f'<div class="tiles">{cells}</div>'


def table(
    header: Sequence[str], rows: Iterable[Sequence[object]], *, strong: Sequence[int] = (),
    words: bool = False,
) -> str:
    """strong: numbers of the rows to stand out; words: all columns to the left."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    lines = []
    for number, row in enumerate(rows):
        cells = "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row)
        kind = ' class="strong"' if number in strong else ""
        lines.append(f"<tr{kind}>{cells}</tr>")
    kind = ' class="words"' if words else ""
    body = "\n".join(lines)
    return f'<div class="wide"><table{kind}><tr>{head}</tr>\n{body}</table></div>'


def paragraph(text: str, kind: str = "") -> str:
    return f'<p class="{kind}">{html.escape(text)}</p>' if kind else f"<p>{html.escape(text)}</p>"


def folded(summary: str, body: str) -> str:
    """Shown when it is asked for."""
    return f"<details><summary>{html.escape(summary)}</summary>{body}</details>"


def preformatted(text: str) -> str:
    return f"<pre>{html.escape(text)}</pre>"


def side_by_side(*parts: str) -> str:
    return '<div class="side">' + "".join(f"<div>{part}</div>" for part in parts if part) + "</div>"
