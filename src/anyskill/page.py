"""Reports as self-contained pages: style, pictures and films are inside the file; nothing is fetched or run."""

import base64
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from pathlib import Path

from anyskill.files import write_atomically


def write_page(path: Path, title: str, body: Iterable[str]) -> Path:
    """Write a page; returns its path.

    Args:
        path: The page.
        title: As text.
        body: As HTML; whoever makes it has escaped what is text.
    """
    style = (files("anyskill") / "assets" / "report.css").read_text("utf-8")
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body>{''.join(body)}</body></html>\n"
    )
    with write_atomically(path) as file:
        file.write(page.encode())
    return path


def card(title: str, content: str) -> str:
    """HTML in a frame of its own, under a title."""
    return f'<div class="card"><h3>{escape(title)}</h3>{content}</div>'


def data_uri(content: bytes, kind: str) -> str:
    """A file as text that a page can hold; ``kind`` is its media type, as in ``image/png``."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
