from pathlib import Path

import pytest

from anyskill.vision_language.bodyclip.wordnet import read_wordnet
from anyskill.vision_language.model import VisionLanguageError

VERBS = """  1 This software and database is being provided to you
01824339 38 v 02 kneel 0 bow_down 1 001 @ 00000000 v 0000 01 | kneel on one's knees; "Kneel in church"; "They knelt"
"""
NOUNS = """00600000 04 n 0a bow 0 b 0 c 0 d 0 e 0 f 0 g 0 h 0 i 0 bowing 0 000 | bending the head; or body
10000000 18 n 01 Napoleon 0 000 | a French general
02000000 06 n 01 chair 0 000 | a seat for one person
"""


def test_words_definitions_and_examples(tmp_path: Path) -> None:
    (tmp_path / "data.verb").write_text(VERBS)
    (tmp_path / "data.noun").write_text(NOUNS)
    texts = list(read_wordnet(tmp_path))
    assert texts[:5] == [
        *("kneel", "bow down", "kneel on one's knees"),
        *("kneel in church", "they knelt"),
    ]
    # Neither proper names nor things; hexadecimal counts.
    assert texts[5:] == ["bow", *"bcdefghi", "bowing", "bending the head; or body"]


def test_other_files(tmp_path: Path) -> None:
    with pytest.raises(VisionLanguageError, match=r"data\.verb cannot be read as a file of WordNet"):
        list(read_wordnet(tmp_path))
    (tmp_path / "data.verb").write_text("something else\n")
    with pytest.raises(VisionLanguageError, match=r"data\.verb cannot be read as a file of WordNet"):
        list(read_wordnet(tmp_path))
