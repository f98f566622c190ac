"""The command line: `edge-ser` with the commands predict, listen, info and completion."""

from __future__ import annotations

from edge.cli.program import main

__all__ = ["main"]
