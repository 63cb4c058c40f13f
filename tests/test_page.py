"""The shell of all reports."""

import base64
from pathlib import Path

from anyskill.page import card, data_uri, write_page


def test_a_page_holds_its_style_and_what_it_is_given(tmp_path: Path) -> None:
    path = write_page(tmp_path / "new" / "report.html", "a <b> & c", ["<p>one</p>", card("2 < 3", "<p>two</p>")])
    page = path.read_text("utf-8")
    assert "<title>a &lt;b&gt; &amp; c</title>" in page
    assert "<p>one</p>" in page and "<h3>2 &lt; 3</h3><p>two</p>" in page
    assert "prefers-color-scheme" in page and page.count("<style>") == 1


def test_a_file_survives_as_text() -> None:
    head, text = data_uri(b"\x00\xffbytes", "video/mp4").split(",")
    assert head == "data:video/mp4;base64"
    assert base64.b64decode(text) == b"\x00\xffbytes"
