"""Stems, sides and limbs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyskill.text import words


@pytest.mark.parametrize(
    "family",
    [
        ["wave", "waves", "waving", "waved"],
        ["hug", "hugs", "hugging", "hugged"],
        ["dance", "dancing", "danced", "dances"],
        ["run", "ran", "running", "runs"],
        ["carry", "carries", "carrying", "carried"],
        ["throw", "threw", "thrown", "throwing"],
        ["kneel", "knelt", "kneeling"],
        ["foot", "feet"],
        ["punch", "punches", "punching"],
        ["kick", "kicked"],
    ],
)
def test_forms_of_a_word_meet(family: list[str]) -> None:
    assert len({words.stem(word) for word in family}) == 1


def test_different_words_stay_apart() -> None:
    apart = [
        "sit",
        "set",
        "stand",
        "run",
        "row",
        "roll",
        "hop",
        "hope",
        "kick",
        "knock",
        "wave",
        "weave",
        "pass",
        "press",
    ]
    assert len({words.stem(word) for word in apart}) >= len(apart) - 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("raise both arms", True),
        ("left foot step backward, right hand extends", True),
        ("raise one leg and kick it forward", True),
        ("turn the head to the left", True),
        ("Arms out!", True),
        ("walk forward", False),
        ("kick", False),
        ("dance with arms", False),
        ("lean back", False),
        ("the left leg", False),
        ("", False),
    ],
)
def test_limb_language(text: str, expected: bool) -> None:
    assert words.is_limb_language(text) is expected


def test_sides_and_mirror() -> None:
    text = "Left foot back, right elbow at right angles, the left hand up"
    assert words.sides(text) == ["left", "right", "left"]
    assert words.mirrored(text) == "Right foot back, left elbow at right angles, the right hand up"
    assert words.sided_limbs(text) == {("left", "foot"), ("right", "elbow"), ("left", "hand")}
    assert words.free_sides("turn right, left arm up, to the left, at right angles") == ["right", "left"]


@given(st.text(max_size=200))
def test_mirroring_twice_changes_nothing(text: str) -> None:
    assert words.mirrored(words.mirrored(text)) == text
    words.stems(text)
    words.is_limb_language(text)
