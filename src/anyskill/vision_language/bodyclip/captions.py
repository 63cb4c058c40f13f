"""Sentences about bodies: true ones, and false ones that differ in one thing.

::

    captioner = Captioner(torch.Generator().manual_seed(0))
    facts = captioner.facts(states)
    caption = captioner.caption(facts, 0, detail=3)
    caption.text     # standing with the right arm raised overhead, looking to the left
    captioner.negative(caption, facts, 0).text     # standing with the left arm raised overhead, looking to the left
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from anyskill.body.state import BodyState
from anyskill.vision_language.bodyclip.facts import Facts, facts_of
from anyskill.vision_language.bodyclip.grammar import Part, Style, random_form, random_style, sentence
from anyskill.vision_language.bodyclip.phrases import is_sided, mirrored, phrase_book
from anyskill.vision_language.bodyclip.things import Thing

FULL = 99
"""A detail that asks for everything that can be told in one sentence."""

_LEADING = 0.7  # how often posture or movement comes first
_BOTH_SIDES = 0.8  # how often what is true of both sides is told of both


@dataclass(frozen=True)
class Caption:
    """A sentence and what it claims."""

    text: str
    parts: tuple[Part, ...]
    style: Style
    label: str | None = None

    @property
    def key(self) -> frozenset[str]:
        """The facts claimed, and the label. Captions with one key mean the same."""
        label = () if self.label is None else (f"label: {self.label}",)
        return frozenset((*(part.fact for part in self.parts), *label))


class Captioner:
    """Writes captions; two with generators in the same state write the same.

    Args:
        generator: Seeds the choices; it is used once.
    """

    def __init__(self, generator: torch.Generator) -> None:
        seed = torch.randint(2**62, (), generator=generator, device=generator.device)
        self._random = random.Random(int(seed))
        self._book = phrase_book()
        self._alike: dict[frozenset[str], list[str]] = {}  # facts by the parts they are about
        for fact in sorted(self._book):
            self._alike.setdefault(self._book[fact].parts, []).append(fact)

    def facts(self, state: BodyState, history: BodyState | None = None, thing: Thing | None = None) -> Facts:
        """What is true of bodies, and of a thing beside them; see ``facts_of``."""
        return facts_of(state, history, thing)

    def caption(self, facts: Facts, index: int, detail: int) -> Caption:
        """A true sentence about one state.

        Args:
            facts: Of a batch of states.
            index: Which of them.
            detail: How many facts it tells, at most; fewer if there is no more to tell.
        """
        parts = self._parts(facts.true[index], detail)
        style = random_style(self._random)
        return Caption(sentence(parts, style, self._book), parts, style)

    def caption_with_label(self, facts: Facts, index: int, label: str, detail: int = 0) -> Caption:
        """A sentence that begins or ends with the name of an action, ``detail`` facts beside it."""
        if detail == 0:
            return Caption(label, (), random_style(self._random), label)
        caption = self.caption(facts, index, detail)
        joined = (label, caption.text) if self._random.random() < 0.7 else (caption.text, label)
        return replace(caption, text=", ".join(joined), label=label)

    def negative(self, caption: Caption, facts: Facts, index: int) -> Caption:
        """A sentence in the same words that is false of the state: sides exchanged, or one fact put in another's place.

        Where it can be, one of two is exchanged sides: all right and left in the sentence change places. Otherwise one
        fact becomes another about the same limb (about the same part and others, if there is none) that everybody would
        deny. A label is left away: what is false of it is not known.
        """
        false = set(facts.false[index])
        opposite = tuple(replace(part, fact=mirrored(part.fact)) for part in caption.parts)
        if any(part.fact in false for part in opposite) and self._random.random() < 0.5:
            parts = opposite
        else:
            parts = self._with_one_changed(caption.parts, false)
        return Caption(sentence(parts, caption.style, self._book), parts, caption.style)

    def _parts(self, true: Sequence[str], detail: int) -> tuple[Part, ...]:
        """Choose facts about different parts of the body, and their wordings."""
        chance = self._random.random
        ranked = sorted((chance() ** (1.0 / self._book[fact].weight), fact) for fact in true)
        known = set(true)
        chosen: list[str] = []
        told: set[str] = set()
        while ranked and len(chosen) < detail:
            fact = ranked.pop()[1]
            pair = f"{fact.partition('.')[0]}.both"
            if pair in known and told.isdisjoint(self._book[pair].parts) and chance() < _BOTH_SIDES:
                fact = pair
            if told.isdisjoint(self._book[fact].parts):
                chosen.append(fact)
                told |= self._book[fact].parts
        if chance() < _LEADING:
            chosen.sort(key=lambda fact: self._book[fact].parts.isdisjoint(("body", "movement")))
        return tuple(Part(fact, random_form(self._random), self._random.randrange(2**16)) for fact in chosen)

    def _with_one_changed(self, parts: tuple[Part, ...], false: set[str]) -> tuple[Part, ...]:
        """One part, taken at random, made false."""
        for place in self._random.sample(range(len(parts)), len(parts)):
            taken = frozenset().union(*(self._book[part.fact].parts for n, part in enumerate(parts) if n != place))
            fact = self._falsehood(parts[place].fact, false, taken)
            if fact is not None:
                return (*parts[:place], replace(parts[place], fact=fact), *parts[place + 1 :])
        raise ValueError("a caption that claims nothing has no negative.")

    def _falsehood(self, fact: str, false: set[str], taken: frozenset[str]) -> str | None:
        """A false fact to put in the place of a true one; ``taken`` are the parts that others are about."""
        about = self._book[fact].parts
        alike = self._alike[about] if taken.isdisjoint(about) else []
        same = [other for other in alike if other in false]
        other_side = mirrored(fact) if is_sided(fact) else fact
        if other_side in false and taken.isdisjoint(self._book[other_side].parts):
            same += [other_side] * max(1, len(same) // 3)  # the likeliest mistake
        candidates = same or [
            other
            for other in sorted(false)
            if taken.isdisjoint(self._book[other].parts) and not about.isdisjoint(self._book[other].parts)
        ]
        return self._random.choice(candidates) if candidates else None
