import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from anyskill.vision_language.bodyclip.tokenizer import MAX_WORDS, PADDING, UNKNOWN, Tokenizer, split

TEXTS = ["Raise the right arm, then the left arm.", "the person's right-hand side", "sit"]
WORDS = Tokenizer.of(TEXTS, 100)


def test_round_trip() -> None:
    assert WORDS.decode(WORDS.encode(TEXTS)) == [
        "raise the right arm , then the left arm",
        "the persons right hand side",
        "sit",
    ]


def test_vocabulary_is_plain_json_and_ordered() -> None:
    again = Tokenizer(json.loads(json.dumps(WORDS.vocabulary)))
    assert again.vocabulary == WORDS.vocabulary
    assert WORDS.vocabulary[0] == "the" and set(WORDS.vocabulary[1:3]) == {"right", "arm"}
    assert Tokenizer.of(TEXTS, 2).vocabulary == WORDS.vocabulary[:2]
    assert torch.equal(again.encode(TEXTS).pieces, WORDS.encode(TEXTS).pieces)


def test_order_is_kept() -> None:
    first, second = (WORDS.encode([text]) for text in ("left arm, right arm", "right arm, left arm"))
    assert WORDS.decode(first) != WORDS.decode(second)
    assert sorted(first.word.tolist()) == sorted(second.word.tolist())


def test_unknown_words_resemble_their_relatives() -> None:
    tokens = WORDS.encode(["righteous right kneel"])
    assert tokens.word.tolist() == [PADDING, UNKNOWN, WORDS.encode(["right"]).word[1].item(), UNKNOWN]
    relative, known, other = (set(row.tolist()) - {0} for row in tokens.pieces[1:])
    assert len(relative & known) >= 5 and not known & other
    assert WORDS.decode(tokens) == ["? right ?"]


def test_share_of_known_words() -> None:
    assert WORDS.known_share("Right arm, left arm!") == 1.0
    assert WORDS.known_share("right zebra") == 0.5
    assert WORDS.known_share("...") == 0.0


def test_long_and_empty_sentences() -> None:
    tokens = WORDS.encode(["arm " * 1000, "", "?!"])
    assert tokens.place.shape == (3, MAX_WORDS)
    assert tokens.mask.sum(1).tolist() == [MAX_WORDS, 1, 1]
    assert WORDS.encode([]).place.shape[0] == 0


@pytest.mark.parametrize("stop", [".", ";", ":", "!"])
def test_stops_part_like_commas(stop: str) -> None:
    assert split(f"arm up{stop} leg down") == ["arm", "up", ",", "leg", "down"]


@given(st.lists(st.text(max_size=80), max_size=5))
def test_any_text_is_encoded(texts: list[str]) -> None:
    tokens = WORDS.encode(texts)
    assert tokens.place.shape[0] == len(texts)
    assert all(place < len(tokens.word) for row in tokens.place.tolist() for place in row)
    assert int(tokens.word.max()) < len(WORDS) and int(tokens.pieces.max()) <= WORDS.buckets
    assert tokens.mask.any(1).all()
