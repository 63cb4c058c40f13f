"""Sentences as people type them."""

from pathlib import Path

import pytest

from anyskill.skill.errors import SkillError
from anyskill.skill.request import Request, read_texts, slug, understand
from anyskill.text.errors import TextError
from anyskill.vision_language.bodyclip.model import Bank, BodyClip
from anyskill.vision_language.bodyclip.towers import Towers
from tests.skill.made_up import Hands
from tests.vision_language.bodyclip.made_up import TINY, WORDS

import torch  # isort: skip

KNOWN = "raise the right arm above your head"


@pytest.fixture(scope="module")
def bodyclip() -> BodyClip:
    """It has met one sentence."""
    towers = Towers(TINY, len(WORDS), WORDS.buckets, torch.Generator().manual_seed(0))
    model = BodyClip(towers, TINY, WORDS, Bank(torch.zeros(1, TINY.dimension), 0.9))
    model.bank = Bank(model.encode_texts([KNOWN]), 0.9)
    return model


def test_what_the_phrasebook_knows_is_said_limb_by_limb(bodyclip: BodyClip) -> None:
    request = understand("wave hi", bodyclip)
    assert request.text == "wave hi"
    assert "hand" in request.description
    assert request.why.startswith('read as "')
    plain = understand("wave hi", bodyclip, rewrite=False)
    assert plain.description == "wave hi"


def test_what_the_scorer_knows_stays_as_it_is(bodyclip: BodyClip) -> None:
    request = understand(f" {KNOWN}  ", bodyclip)
    assert request.description == KNOWN
    assert request.why == "as it was typed"
    assert request.confidence.level == "well"


def test_of_each_limb_there_are_two() -> None:
    class Knows:
        verdict = "well"

        def __str__(self) -> str:
            return "knows it"

    model = BodyClip.__new__(BodyClip)
    model.familiarity = lambda sentences: [Knows()] * len(sentences)
    assert understand("put up one hand", model).description == "put up the right hand"
    assert understand("put up one hand", model, rewrite=False).description == "put up one hand"
    assert understand("Two arms up, one to the left", model).description == "Both arms up, one to the left"
    for text in ("raise one hand, the left one", "raise both hands", "stand one step ahead", "take two steps"):
        assert understand(text, model).description == text


@pytest.mark.parametrize("text", ["quarterly tax law", "подними руки", "両腕を上げる", "🙌 yes", "hebe beide Arme"])
def test_what_the_scorer_hardly_knows_is_a_warning(text: str, bodyclip: BodyClip) -> None:
    request = understand(text, bodyclip)
    assert request.description == text
    assert request.confidence.level == "hardly"
    assert "rephrase" in request.confidence.sentence


@pytest.mark.parametrize(
    ("text", "complaint"), [("", "is empty"), (" \n", "is empty"), ("arm " * 2500, "at most 1000")]
)
def test_what_is_no_sentence_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(TextError, match=complaint):
        understand(text, Hands())


def test_other_scorers_do_not_tell() -> None:
    assert understand("raise both arms", Hands()).confidence is None


@pytest.mark.parametrize(
    ("text", "low"),
    [
        ("lie down", True),
        ("crawl like a baby", True),
        ("do push-ups", True),
        ("raise both arms", False),
        ("sit on the ground", False),
        ("push the wall", False),
    ],
)
def test_lying_is_asked_for_or_not(text: str, low: bool) -> None:
    assert Request(text, text, "").low is low


def test_names_of_folders() -> None:
    assert slug("Raise both arms!") == "raise-both-arms"
    assert slug("../../etc/passwd") == "etc-passwd"
    assert slug("両腕を上げる") == "両腕を上げる"
    assert slug("🙌") == "skill"
    assert len(slug("arm " * 200)) <= 60


def test_sentences_come_from_a_list(tmp_path: Path) -> None:
    path = tmp_path / "texts.yaml"
    path.write_text("- raise both arms\n- sit down\n", encoding="utf-8")
    assert read_texts(path) == ("raise both arms", "sit down")
    for content in ("", "texts: [a]", "- 3\n", "[]", "- [a", "- \x00"):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(SkillError, match=r"texts\.yaml"):
            read_texts(path)
    with pytest.raises(SkillError, match="cannot be read"):
        read_texts(tmp_path / "none.yaml")
