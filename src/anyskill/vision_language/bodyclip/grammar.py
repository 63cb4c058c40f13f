"""From facts to a sentence: orders, descriptions, lists."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from anyskill.vision_language.bodyclip.phrases import Phrases
from anyskill.vision_language.bodyclip.verbs import inflect

T = TypeVar("T")
Form = Literal["do", "is"]
Manner = Literal["imperative", "gerund", "third", "progressive", "clauses", "list"]

_MANNERS: tuple[Manner, ...] = ("imperative", "gerund", "third", "progressive", "clauses", "list")
_MANNER_WEIGHTS = (25, 20, 18, 9, 13, 15)
_PEOPLE = (  # subject, possessive, reflexive
    ("a person", "their", "themselves"),
    ("someone", "their", "themselves"),
    ("the person", "their", "themselves"),
    ("somebody", "their", "themselves"),
    ("the humanoid", "its", "itself"),
    ("the figure", "its", "itself"),
    ("a man", "his", "himself"),
    ("a woman", "her", "herself"),
    ("he", "his", "himself"),
    ("she", "her", "herself"),
)
_PLURAL = re.compile(
    r"^both\b|\band\b|\b(?:arms|hands|palms|wrists|fists|elbows|forearms|shoulders|biceps|hips|legs|knees|heels|feet)$"
)
_ARTICLE = re.compile(r"\b(?:the|one's) (?=\w)")


@dataclass(frozen=True)
class Style:
    """How a sentence is put; everything but its facts."""

    manner: Manner
    subject: str
    possessive: str  # for ``one's``; empty leaves it out
    reflexive: str
    last: str  # what joins the last two of several


@dataclass(frozen=True)
class Part:
    """One fact in a sentence, and which of its wordings."""

    fact: str
    form: Form  # wanted; a fact without such wordings takes another
    pick: int  # counts through the wordings, round and round


def random_style(chance: random.Random) -> Style:
    """Any style."""
    manner = chance.choices(_MANNERS, _MANNER_WEIGHTS)[0]
    subject, possessive, reflexive = chance.choice(_PEOPLE)
    if manner == "imperative":
        possessive, reflexive = chance.choice(("your", "your", "the")), "yourself"
    elif manner in ("gerund", "list"):
        possessive, reflexive = chance.choice(("the", "the", "their", "")), "oneself"
    elif chance.random() < 0.4:
        possessive = "the"
    last = chance.choice((" and ", " and ", ", "))
    return Style(manner, subject, possessive, reflexive, last)


def random_form(chance: random.Random) -> Form:
    """Any form, mostly a description."""
    return chance.choices(("do", "is"), (4, 6))[0]


def sentence(parts: Sequence[Part], style: Style, book: Mapping[str, Phrases]) -> str:
    """Put facts into words. The same parts and style give the same sentence."""
    if style.manner == "list":
        text = ", ".join(_terse(book[part.fact], part.pick) for part in parts)
    elif style.manner == "clauses":
        text = _join([_clause(book[part.fact], part, style) for part in parts], style.last)
    else:
        text = _led(parts, style, book)
    text = re.sub(r"\boneself\b", style.reflexive, text)
    if style.possessive:
        text = re.sub(r"\bone's\b", style.possessive, text)
    return re.sub(r"\bone's ", "", text)


def _led(parts: Sequence[Part], style: Style, book: Mapping[str, Phrases]) -> str:
    """A verb first; the other facts follow as what it comes with and what else is done."""
    lead, *others = parts
    text = _start(book[lead.fact], lead.pick, style)
    states, actions = [], []
    for part in others:
        phrases = book[part.fact]
        if part.form == "is" and phrases.states:
            noun, predicate = _choose(phrases.states, part.pick)
            states.append(f"{noun} {predicate}")
        else:
            action = _choose(phrases.actions, part.pick)
            actions.append(inflect(action, "imperative" if style.manner == "imperative" else "gerund"))
    if states:
        text += (", " if " with " in text else " with ") + _join(states, " and ")
    if style.manner == "imperative":
        return _join([text, *actions], style.last if not states else ", and ")
    return ", ".join([text, *actions])


def _start(phrases: Phrases, pick: int, style: Style) -> str:
    action = _choose(phrases.actions, pick)
    if style.manner == "imperative":
        return inflect(action, "imperative")
    if style.manner == "gerund":
        return inflect(action, "gerund")
    if style.manner == "third":
        return f"{style.subject} {inflect(action, 'third')}"
    return _progressive(action, style)


def _progressive(action: str, style: Style) -> str:
    going = inflect(action, "gerund")
    return f"{style.subject} is {going.removeprefix('being ')}"


def _clause(phrases: Phrases, part: Part, style: Style) -> str:
    """A small sentence of its own."""
    if part.form != "is" or not phrases.states:
        return _progressive(_choose(phrases.actions, part.pick), style)
    noun, predicate = _choose(phrases.states, part.pick)
    return f"{noun} {'are' if _PLURAL.search(noun) else 'is'} {predicate}"


def _terse(phrases: Phrases, pick: int) -> str:
    """A note, without articles where they can be spared."""
    notes = phrases.terse + tuple(
        _ARTICLE.sub("", f"{noun} {predicate}", count=1) for noun, predicate in phrases.states
    )
    return _choose(notes, pick)


def _choose(wordings: Sequence[T], pick: int) -> T:
    return wordings[pick % len(wordings)]


def _join(items: Sequence[str], last: str) -> str:
    """A, b and c."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + last + items[-1]
