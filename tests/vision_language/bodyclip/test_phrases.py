import re
from collections import defaultdict

import pytest

from anyskill.vision_language.bodyclip.phrases import PhraseError, _phrases, is_sided, mirrored, phrase_book

BOOK = phrase_book()


def _wordings(fact: str) -> list[str]:
    phrases = BOOK[fact]
    return [*phrases.actions, *(" ".join(state) for state in phrases.states), *phrases.terse]


@pytest.mark.parametrize("fact", BOOK)
def test_every_fact_can_be_told_in_several_ways(fact: str) -> None:
    assert len(_wordings(fact)) >= 5
    assert BOOK[fact].actions and BOOK[fact].parts
    assert BOOK[fact].states or BOOK[fact].terse


@pytest.mark.parametrize("fact", BOOK)
def test_wordings_are_clean(fact: str) -> None:
    for text in _wordings(fact):
        assert not re.search(r"[{}|_]|  |^ | $|\b(a|an) \w+s\b(?<!ss)(?<!biceps)(?<!lotus)", text), text
        assert not re.search(r"\ba [aeiou]|\ban [^aeiouOX]", text), text
        assert text[0].islower() or text[0] in "TXOAY", text


def test_no_wording_tells_two_facts() -> None:
    told = defaultdict(set)
    for fact in BOOK:
        for text in _wordings(fact):
            told[re.sub(r"\b(one's|the) ", "", text.replace("*", ""))].add(fact)
    assert {text: facts for text, facts in told.items() if len(facts) > 1} == {}


def test_mirrored_facts_have_mirrored_wordings() -> None:
    for fact, phrases in BOOK.items():
        other = BOOK[mirrored(fact)]
        if not is_sided(fact):
            assert mirrored(fact) == fact
            assert not re.search(r"\b(left|right)\b", " ".join(_wordings(fact)).replace("right angle", "")), fact
            continue
        swapped = [_swap(text) for text in _wordings(fact)]
        assert swapped == _wordings(mirrored(fact))
        assert {_swap(part) for part in phrases.parts} == other.parts


def _swap(text: str) -> str:
    return re.sub(r"\b(left|right)\b", lambda found: {"left": "right", "right": "left"}[found[0]], text)


def test_a_state_needs_a_bar() -> None:
    with pytest.raises(PhraseError, match="needs a bar"):
        _phrases("nonsense", {"is": ["the arm raised"], "do": ["x"]}, ["arm"], {"is": ["the arm raised"], "do": ["x"]})
