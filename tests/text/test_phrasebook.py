"""Every entry keeps the poster's rules, and every name leads to its entry."""

from pathlib import Path

import pytest
import torch

from anyskill.text import words
from anyskill.text.enhance import MOST_WORDS, enhance, fault
from anyskill.text.errors import TextError
from anyskill.text.phrasebook import Phrasebook, phrasebook

BOOK = phrasebook()


def test_there_are_enough_actions() -> None:
    assert len(set(BOOK.descriptions.values())) >= 300
    assert len(BOOK.descriptions) >= 1000


def test_descriptions_keep_the_rules() -> None:
    for description in set(BOOK.descriptions.values()):
        assert fault("", description) is None, description
        assert len(words.words(description)) <= MOST_WORDS - 5, description
        assert not enhance(description).changed, description  # saying it again changes nothing
        assert "finger" not in description, description
        assert description == description.lower().strip().rstrip(".")


def test_names_lead_to_their_entries() -> None:
    for name, description in BOOK.descriptions.items():
        assert not words.sides(name), name
        assert not words.has_negation(name), name
        for sentence in (name, name.upper() + "!"):
            assert enhance(sentence).text == description, sentence


def test_sayings_are_known_as_they_stand_and_mean_poses() -> None:
    assert len(BOOK.sayings) >= 6000 and not set(BOOK.sayings) & set(BOOK.descriptions)
    poses = set(BOOK.sayings.values())
    assert len(poses) >= 350
    for pose in poses:
        assert fault("", pose) is None, pose
        assert pose == pose.lower().strip().rstrip("."), pose
    for saying in BOOK.sayings:
        match = BOOK.saying(saying.upper() + "!")
        assert match is not None and match.description == BOOK.sayings[match.name]
        assert words.stems(match.name, fillers=True) == words.stems(saying, fillers=True), saying
    assert enhance("vote with the left hand").text.startswith("raise the left arm")
    assert BOOK.saying("vote") is None, "what is only a part of it"


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("a person is waving", "wave"),
        ("She waved.", "wave"),
        ("the man hugs someone", "hug"),
        ("please do a cartwheel, slowly", "cartwheel"),
        ("cartwhel", "cartwheel"),
        ("walk like a zombie", "zombie"),
        ("fly like superman", "superman"),
        ("kick the ball", "kick a ball"),
        ("drinking a cup of coffee", "drink"),
        ("reach for the sky with both hands", "reach for the sky"),
        ("do push-ups", "push ups"),
        ("waltz dance", "waltz"),
        ("climbing a ladder", "climb a ladder"),
        ("T-pose", "t pose"),
    ],
)
def test_found_by_words(sentence: str, name: str) -> None:
    match = BOOK.find(sentence)
    assert match is not None
    assert match.description == BOOK.descriptions[name]


@pytest.mark.parametrize(
    "sentence",
    [
        "quantum entanglement",
        "don't walk",
        "walk without moving",
        "stop dancing",
        "walk and wave",
        "turn off the light",
        "drink and whistle",
        "elated",
        "range of motion",
        "putting on deodorant",
        "a man runs and then jumps over a fence",
        "抬起双臂",
        "the",
        "123",
    ],
)
def test_nothing_is_guessed(sentence: str) -> None:
    assert BOOK.find(sentence) is None


def test_found_by_meaning() -> None:
    asked: list[str] = []

    def encode(texts: list[str]) -> torch.Tensor:
        """An encoder that knows "genuflect" to mean praying, and nothing else."""
        asked.extend(texts)
        names = {name: index for index, name in enumerate(BOOK.descriptions)}
        features = torch.zeros(len(texts), len(names) + 1)
        for row, text in enumerate(texts):
            features[row, names.get("pray" if text == "say grace" else text, len(names))] = 1
        return features

    match = BOOK.find("say grace", encode)
    assert match is not None
    assert match.description == BOOK.descriptions["pray"]
    assert "by meaning (cosine 1.00)" in match.why
    assert BOOK.find("quantum entanglement", encode) is None
    asked.clear()
    BOOK.find("pray", encode)
    assert not asked  # words come first


@pytest.mark.parametrize("content", ["- a list", "a: [1, 2]", "a: b: c", "\0"])
def test_broken_books_are_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "book.yaml"
    path.write_text(content)
    with pytest.raises(TextError, match=r"book\.yaml"):
        Phrasebook.load(path)
    with pytest.raises(TextError, match=r"absent\.yaml"):
        Phrasebook.load(tmp_path / "absent.yaml")
