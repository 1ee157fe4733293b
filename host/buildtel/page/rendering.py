"""Renders a page: a template escapes all it is given; style and script are in the file, their hashes in its policy."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from buildtel.text import printed

ROOM = Path(__file__).parent
VENDORED = ROOM / "vendor" / "uplot"
STYLES = (VENDORED / "uPlot.min.css", ROOM / "assets" / "page.css", ROOM / "assets" / "timeline.css")
SCRIPTS = ("base", "zoom", "lanes", "strips", "panel", "sorting", "main")


def page(template: str, **context: Any) -> str:
    """A page as text.

    Args:
        template: its file's name in `templates/`.
        context: what the template needs; `data` is what the page's script gets, None: the page has no script.
    """
    data = context.get("data")
    scripts = [] if data is None else [_read(VENDORED / "uPlot.iife.min.js"), script()]
    whole = {
        **context,
        "policy": _policy(style(), scripts),
        "style": Markup(style()),
        "scripts": [Markup(text) for text in scripts],
        "data": None if data is None else Markup(as_json(data)),
    }
    return _environment().get_template(template).render(whole)


def as_json(value: Any) -> str:
    """JSON for a `<script>` that is data: nothing in it can end the element, or a line of a script."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for char in "<>&#":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


@cache
def style() -> str:
    """The style sheet of every page."""
    return "\n".join(map(_read, STYLES))


@cache
def script() -> str:
    """The script of every page: its parts in one function, so that none of their names is global."""
    parts = "\n".join(_read(ROOM / "assets" / f"{name}.js") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}\n}})();\n'


def _policy(sheet: str, scripts: list[str]) -> str:
    """The content security policy: no request at all, only this style and these scripts."""
    allowed = " ".join(map(_hash, scripts)) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(sheet)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(ROOM / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _harmless(value: Any) -> Any:
    """What a template shows: no text of a stranger is a command to a CI's runner where a page is printed."""
    return printed(value) if isinstance(value, str) and not isinstance(value, Markup) else value
