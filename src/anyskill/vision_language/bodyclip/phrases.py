"""The phrase book: what people say for each fact, read from ``assets/phrases/*.yaml``.

A file maps names of facts to entries::

    arm_forward:
      parts: [arm]            # what the fact is about; two facts about one part are not told in one sentence
      weight: 1.2             # how gladly it is told; 1 by default
      at_rest: true           # not told of somebody who travels; false by default
      do: [stretch one's {side} arm forward]         # begins with a verb; see ``verbs``
      is: ["one's {side} arm | stretched forward"]   # a noun and what it is like
      say: ["{side} arm forward"]                    # neither
      both: {do: [stretch both arms forward], …}     # wordings for both sides at once

An entry that says ``{side}`` or ``{other}`` is about one side: it becomes a fact for the right, ``arm_forward.right``,
one for the left, and with ``both`` one for both. ``one's`` stands for a possessive and ``oneself`` for a reflexive. The
parts arm, elbow and leg are those of the fact's side. An entry with ``things: [ball, …]`` becomes a fact for each of
them, whose name takes the place of "thing" in the fact's and of ``{thing}`` in its wordings.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from anyskill.errors import AnyskillError

SIDES = ("right", "left")
_OTHER = {"right": "left", "left": "right"}
_SIDED_PARTS = ("arm", "elbow", "leg")


class PhraseError(AnyskillError):
    """The phrase book contradicts itself or the facts."""


@dataclass(frozen=True)
class Phrases:
    """All wordings of one fact."""

    fact: str
    parts: frozenset[str]
    weight: float
    at_rest: bool
    actions: tuple[str, ...]  # ``do``
    states: tuple[tuple[str, str], ...]  # ``is``: noun, predicate; may be empty
    terse: tuple[str, ...]  # ``say``

    @property
    def plain(self) -> tuple[str, ...]:
        """Every wording by itself, said to you."""
        wordings = (*self.actions, *(f"{noun} {predicate}" for noun, predicate in self.states), *self.terse)
        return tuple(text.replace("one's", "your").replace("oneself", "yourself") for text in wordings)


@lru_cache
def phrase_book() -> dict[str, Phrases]:
    """Phrases of every fact that can be told, by the fact's name."""
    book: dict[str, Phrases] = {}
    for path in sorted(files("anyskill").joinpath("assets", "phrases").iterdir(), key=lambda path: path.name):
        for name, entry in yaml.safe_load(path.read_text("utf-8")).items():
            for phrases in _expand(name, entry):
                if phrases.fact in book:
                    raise PhraseError(f"{path.name} describes {name}, which another file describes too.")
                book[phrases.fact] = phrases
    return book


def mirrored(fact: str) -> str:
    """The same fact of the other side."""
    base, dot, side = fact.partition(".")
    return base + dot + _OTHER.get(side, side)


def is_sided(fact: str) -> bool:
    """Whether a mirror turns the fact into another one."""
    return fact.endswith((".right", ".left"))


def _expand(name: str, entry: dict[str, Any]) -> list[Phrases]:
    """The facts of an entry: one, or right, left and perhaps both, of every thing it is about."""
    if "things" in entry:
        rest = {key: value for key, value in entry.items() if key != "things"}
        return [
            phrases
            for thing in entry["things"]
            for phrases in _expand(name.replace("thing", thing), _named(rest, thing))
        ]
    if "{" not in "".join(entry["do"]):
        return [_phrases(name, entry, entry["parts"], entry)]
    facts = []
    for side in SIDES:
        parts = [f"{side} {part}" if part in _SIDED_PARTS else part for part in entry["parts"]]
        facts.append(_phrases(f"{name}.{side}", entry, parts, entry, side))
    if "both" in entry:
        facts.append(_phrases(f"{name}.both", entry, sorted(facts[0].parts | facts[1].parts), entry["both"]))
    return facts


def _named(wordings: Any, thing: str) -> Any:
    """The same with the name of a thing filled in."""
    if isinstance(wordings, dict):
        return {key: _named(value, thing) for key, value in wordings.items()}
    if isinstance(wordings, list):
        return [_named(value, thing) for value in wordings]
    return wordings.replace("{thing}", thing) if isinstance(wordings, str) else wordings


def _phrases(fact: str, entry: dict[str, Any], parts: list[str], wordings: dict[str, Any], side: str = "") -> Phrases:
    def filled(key: str) -> tuple[str, ...]:
        return tuple(
            text.replace("{side}", side).replace("{other}", _OTHER.get(side, "")) for text in wordings.get(key, [])
        )

    states = []
    for text in filled("is"):
        noun, bar, predicate = text.partition(" | ")
        if not bar:
            raise PhraseError(f"“{text}” of {fact} needs a bar between the noun and what it is like.")
        states.append((noun, predicate))
    weight = float(entry.get("weight", 1.0))
    return Phrases(
        fact, frozenset(parts), weight, entry.get("at_rest", False), filled("do"), tuple(states), filled("say")
    )
