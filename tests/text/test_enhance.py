"""Sentences into limb language: by the book, by a language model, or honestly not at all."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from anyskill.text import words
from anyskill.text.enhance import RULES, enhance, enhance_with, fault
from anyskill.text.errors import TextError
from anyskill.text.phrasebook import phrasebook
from anyskill.vision_language.similarity import separability

NAMES = sorted(phrasebook().descriptions)
LIMB_LANGUAGE = [
    "raise both arms overhead",
    "raise your right arm",
    "left foot step backward, right hand extends",
    "raise one leg and kick it forward",
    "Left leg forward, right leg retreats",
    "raised arm bent at the elbow",
    "legs off the ground, wave hands",
]


class Scripted:
    """A language model that says what it is told to, and remembers what it was asked."""

    name = "a script"

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.prompts: list[str] = []

    def complete(self, prompt: str) -> str:
        self.prompts.append(prompt)
        return self.answers.pop(0)


def test_a_known_word() -> None:
    result = enhance("do yoga")
    assert result.original == "do yoga"
    assert result.text.startswith("stand on the left leg with the right foot against the left knee")
    assert result.changed
    assert '"yoga"' in result.why


@pytest.mark.parametrize("sentence", LIMB_LANGUAGE)
def test_limb_language_is_left_alone(sentence: str) -> None:
    result = enhance(sentence)
    assert (result.text, result.changed) == (sentence, False)
    assert "already" in result.why


@pytest.mark.parametrize("sentence", ["quantum entanglement", "walk and wave", "don't walk", "фламинго"])
def test_the_unknown_comes_back_with_a_note(sentence: str) -> None:
    result = enhance(sentence)
    assert (result.text, result.changed) == (sentence, False)
    assert "does not know" in result.why


@pytest.mark.parametrize(
    ("sentence", "contains"),
    [
        ("wave with the right hand", "right hand beside the head"),
        ("wave with the left hand", "left hand beside the head"),
        ("kick with the left leg", "raise the left leg"),
        ("yoga on the left leg", "stand on the left leg"),
        ("yoga on the right leg", "stand on the right leg with the left foot"),
        ("turn left", "to the left"),
        ("turn to the right", "to the right"),
        ("salute with the left hand", "the left hand to the forehead with the left elbow"),
    ],
)
def test_sides_are_kept(sentence: str, contains: str) -> None:
    assert contains in enhance(sentence).text


@pytest.mark.parametrize("sentence", ["jump to the left", "kick left then right", "clap with the left foot"])
def test_sides_that_cannot_be_kept_change_nothing(sentence: str) -> None:
    assert not enhance(sentence).changed


@given(st.sampled_from(NAMES), st.sampled_from(["left", "right"]), st.sampled_from(["hand", "arm", "leg", "foot"]))
def test_a_named_limb_is_never_lost_and_mirrors(name: str, side: str, limb: str) -> None:
    sentence = f"{name} with the {side} {limb}"
    result = enhance(sentence)
    assert words.sided_limbs(sentence) <= words.sided_limbs(result.text)
    if result.changed:
        assert result.text in (words.mirrored(phrasebook().descriptions[n]) for n in NAMES) or (
            result.text in phrasebook().descriptions.values()
        )


@given(st.text(max_size=60) | st.sampled_from(NAMES).map("a person {}ing slowly".format))
def test_twice_is_once(sentence: str) -> None:
    try:
        first = enhance(sentence)
    except TextError:
        return
    second = enhance(first.text)
    assert second.text == first.text
    assert first.changed == (first.text != " ".join(sentence.split()))


@pytest.mark.parametrize("sentence", ["", "   \n", "!?", "…"])
def test_nothing_is_no_sentence(sentence: str) -> None:
    for call in (lambda: enhance(sentence), lambda: enhance_with(sentence, Scripted())):
        with pytest.raises(TextError, match="empty"):
            call()


def test_a_book_is_no_sentence() -> None:
    with pytest.raises(TextError, match="9999 characters"):
        enhance("raise both arms " * 625)


def test_the_best_candidate_of_all_rounds_wins() -> None:
    model = Scripted(
        '1. "Raise the right hand beside the head."\n2. be friendly\n3. wave the hand',
        "- raise both arms overhead\n- raise the right hand beside the head with the right elbow bent\n",
    )
    scores = {"Raise the right hand beside the head": 3.0, "raise both arms overhead": 1.0}

    def score(candidates: list[str]) -> list[float]:
        assert "be friendly" not in candidates  # what breaks the rules is not even scored
        return [scores.get(candidate, 2.0) for candidate in candidates]

    result = enhance_with("wave hi", model, score)
    assert result.text == "Raise the right hand beside the head"
    assert result.changed
    assert "separability 3.00" in result.why
    assert RULES in model.prompts[0]
    assert '"wave hi"' in model.prompts[0]
    assert "Raise the right hand beside the head" in model.prompts[1]


def test_candidates_scored_by_how_separable_they_are() -> None:
    """The clearer of two sentences is the one that a bank of poses tells apart."""
    generator = torch.Generator().manual_seed(0)
    bank = normalize(torch.randn(1000, 16, generator=generator), dim=-1)
    features = {
        "raise both arms overhead": bank[:10].mean(0),
        "move both arms down": torch.randn(16, generator=generator),
    }
    bank[:10] = normalize(bank[:10].mean(0) + 0.02 * bank[:10], dim=-1)

    def score(texts: list[str]) -> list[float]:
        return separability(torch.stack([normalize(features[text], dim=0) for text in texts]), bank).tolist()

    answer = "move both arms down\nraise both arms overhead"
    assert enhance_with("hooray", Scripted(answer), score, rounds=1).text == "raise both arms overhead"
    assert enhance_with("hooray", Scripted(answer), rounds=1).text == "move both arms down"


def test_useless_answers_are_an_error() -> None:
    with pytest.raises(TextError, match=r'a script gave "I am sorry" \(it names no limb'):
        enhance_with("wave", Scripted("I am sorry", "I am sorry"))
    with pytest.raises(TextError, match="an empty answer"):
        enhance_with("wave", Scripted("\n\n", " "))


@pytest.mark.parametrize(
    ("original", "candidate", "why"),
    [
        ("wave", "be cheerful", "names no limb"),
        ("wave", "raise the right hand " + "very " * 30 + "high", "more than"),
        ("wave", "raise the right hand, do not move the left arm", "not to be done"),
        ("wave with the left hand", "raise the right hand beside the head", "loses the left hand"),
        ("turn left", "turn the head to the right", "loses a side"),
        ("wave with the left hand", "raise the left hand beside the head", None),
    ],
)
def test_rules(original: str, candidate: str, why: str | None) -> None:
    found = fault(original, candidate)
    assert found is None if why is None else found is not None and why in found
