import re
import time

import pytest
import torch

from anyskill.vision_language.bodyclip.captions import FULL, Caption, Captioner
from anyskill.vision_language.bodyclip.facts import Facts, facts_of
from anyskill.vision_language.bodyclip.grammar import Part, Style, sentence
from anyskill.vision_language.bodyclip.phrases import mirrored, phrase_book
from tests.vision_language.bodyclip.movements import movement_states
from tests.vision_language.bodyclip.poses import POSES, pose_states, random_states

DETAILS = (1, 2, 3, 5, FULL)


def _captioner(seed: int = 0) -> Captioner:
    return Captioner(torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def facts() -> Facts:
    """Of poses, movements and random bodies."""
    return Facts(torch.cat([facts_of(s).margins for s in (pose_states(), movement_states(), random_states(300, 6))]))


@pytest.fixture(scope="module")
def captions(facts: Facts) -> list[tuple[int, Caption]]:
    captioner = _captioner()
    return [
        (i, captioner.caption(facts, i, detail)) for i in range(len(facts.true)) for detail in DETAILS if facts.true[i]
    ]


def test_captions_claim_only_what_is_true(facts: Facts, captions: list[tuple[int, Caption]]) -> None:
    for index, caption in captions:
        assert caption.key <= set(facts.true[index])
        assert len(caption.parts) >= 1


def test_detail_is_how_many_facts_are_told(facts: Facts) -> None:
    captioner = _captioner()
    for detail in (1, 2, 3):
        assert len(captioner.caption(facts, 0, detail).parts) == detail
    assert len(captioner.caption(facts, 0, FULL).parts) > 5


def test_no_part_of_the_body_is_told_of_twice(captions: list[tuple[int, Caption]]) -> None:
    for _, caption in captions:
        parts = [part for told in caption.parts for part in phrase_book()[told.fact].parts]
        assert len(parts) == len(set(parts))


def test_grammar(captions: list[tuple[int, Caption]]) -> None:
    wrong = re.compile(r"[{}|*_]|  |^[ ,]|[ ,]$|,,| ,|\bone's\b|\ba \w*(arms|hands|legs|feet)\b|\b(the the|and and)\b")
    for _, caption in captions:
        assert not wrong.search(caption.text), caption.text
        if caption.style.manner in ("third", "progressive"):
            assert caption.text.startswith(caption.style.subject), caption.text


def test_negatives_are_false_and_differ_in_one_thing(facts: Facts, captions: list[tuple[int, Caption]]) -> None:
    captioner, kinds = _captioner(1), {"side": 0, "one": 0}
    for index, caption in captions:
        negative = captioner.negative(caption, facts, index)
        assert negative.key & set(facts.false[index])
        assert negative.text != caption.text
        assert negative.style == caption.style and len(negative.parts) == len(caption.parts)
        changed = [new.fact for old, new in zip(caption.parts, negative.parts, strict=True) if old.fact != new.fact]
        if len(changed) == 1:
            kinds["one"] += 1
        else:
            kinds["side"] += 1
            assert negative.key == {mirrored(fact) for fact in caption.key}
    assert min(kinds.values()) > 0.1 * len(captions)


def test_one_seed_one_text(facts: Facts) -> None:
    first, second = _captioner(3), _captioner(3)
    for index in range(50):
        caption = first.caption(facts, index, 3)
        assert caption == second.caption(facts, index, 3)
        assert first.negative(caption, facts, index) == second.negative(caption, facts, index)
    texts = {_captioner(seed).caption(facts, 0, 3).text for seed in range(20)}
    assert len(texts) > 15


def test_captions_with_one_key_say_the_same(facts: Facts, captions: list[tuple[int, Caption]]) -> None:
    for index, caption in captions[:200]:
        assert facts.admits([caption.key])[index, 0]
        assert caption.key == frozenset(part.fact for part in caption.parts)


def test_labels(facts: Facts) -> None:
    captioner = _captioner()
    alone = captioner.caption_with_label(facts, 0, "do yoga")
    assert alone.text == "do yoga" and alone.key == {"label: do yoga"}
    mixed = captioner.caption_with_label(facts, 0, "do yoga", detail=2)
    assert "do yoga" in mixed.text and len(mixed.key) == 3 and "label: do yoga" in mixed.key
    negative = captioner.negative(mixed, facts, 0)
    assert "do yoga" not in negative.text and negative.label is None
    with pytest.raises(ValueError, match="claims nothing"):
        captioner.negative(alone, facts, 0)


def test_the_same_facts_in_every_manner() -> None:
    parts = (Part("stand", "do", 0), Part("arm_overhead.right", "is", 0), Part("look_sideways.left", "do", 1))
    style = Style("imperative", "a person", "your", "yourself", " and ")

    def said(**changes: str) -> str:
        return sentence(parts, Style(**{**vars_of(style), **changes}), phrase_book())  # type: ignore[arg-type]

    assert said() == "stand with your right arm raised overhead, and look left"
    assert said(manner="gerund", possessive="the") == "standing with the right arm raised overhead, looking left"
    assert (
        said(manner="third", possessive="their") == "a person stands with their right arm raised overhead, looking left"
    )
    assert (
        said(manner="progressive", possessive="") == "a person is standing with right arm raised overhead, looking left"
    )
    assert said(manner="clauses", possessive="the") == (
        "a person is standing, the right arm is raised overhead and a person is looking left"
    )
    assert said(manner="list") == "standing pose, right arm up, head turned left"


def vars_of(style: Style) -> dict[str, str]:
    return {name: getattr(style, name) for name in style.__dataclass_fields__}


def test_coverage_of_random_bodies() -> None:
    facts, captioner = facts_of(random_states(1000, seed=7)), _captioner()
    told = [captioner.caption(facts, index, 3) for index in range(1000)]
    assert len({caption.text for caption in told}) > 950
    assert len({fact for caption in told for fact in caption.key}) > 120


def test_speed(facts: Facts) -> None:
    captioner = _captioner()
    captioner.caption(facts, 0, 3)
    start = time.process_time()
    for index in range(400):
        captioner.caption(facts, index % len(POSES), 3)
    assert 400 / (time.process_time() - start) > 2000
