"""``Facts``: everything that can be said of a batch of bodies, each statement with its margin."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill.body.state import BodyState
from anyskill.vision_language.bodyclip import limbs, posture
from anyskill.vision_language.bodyclip.gestures import gesture_facts
from anyskill.vision_language.bodyclip.margins import UNKNOWN, both, either
from anyskill.vision_language.bodyclip.measures import measure
from anyskill.vision_language.bodyclip.movement import movement_facts
from anyskill.vision_language.bodyclip.phrases import SIDES, mirrored, phrase_book
from anyskill.vision_language.bodyclip.things import Thing, thing_facts


@dataclass(frozen=True)
class Facts:
    """Statements about ``state`` bodies, in the order of the phrase book; see ``margins`` for what a margin means."""

    margins: Float[Tensor, "state fact"]

    @cached_property
    def true(self) -> list[list[str]]:
        """Names of the facts that hold, for every state."""
        return _names(self.margins > 0)

    @cached_property
    def false(self) -> list[list[str]]:
        """Names of the facts that everybody would deny, for every state."""
        return _names(self.margins <= -1)

    def holds(self, fact: str) -> Bool[Tensor, "state"]:
        """Which states a fact is true of."""
        return self.margins[:, _columns()[fact]] > 0

    def admits(self, keys: Sequence[Iterable[str]]) -> Bool[Tensor, "state key"]:
        """Whether nobody could be sure that a sentence is wrong: none of its facts is clearly false.

        A contrastive loss must not push such a sentence and such a state apart. Labels count as true of every state.
        """
        columns = _columns()
        denied = (self.margins <= -1).to(torch.float32)
        told = denied.new_zeros(len(columns), len(keys))
        for number, key in enumerate(keys):
            told[[columns[fact] for fact in key if fact in columns], number] = 1.0
        return denied @ told == 0

    def still(self) -> "Facts":
        """The same without movement, which a single picture does not show: unknown, so neither true nor false."""
        moving = [i for i, phrases in enumerate(phrase_book().values()) if "movement" in phrases.parts]
        margins = self.margins.clone()
        margins[:, moving] = UNKNOWN
        return Facts(margins)

    def mirrored(self) -> "Facts":
        """The facts of the mirrored bodies."""
        columns = _columns()
        return Facts(self.margins[:, [columns[mirrored(fact)] for fact in columns]])


def facts_of(state: BodyState, history: BodyState | None = None, thing: Thing | None = None) -> Facts:
    """Look at bodies and state what is true of them.

    Args:
        state: The present, shape ``(state,)``.
        history: Shape ``(time, state)``, oldest first, 0.1 to 0.3 s apart; without it, nothing is known to repeat.
        thing: What is beside the body, of batch shape ``(state,)``; without it, nothing is known of things.
    """
    m = measure(state)
    known = posture.body_facts(m) | posture.trunk_facts(m) | posture.head_facts(m)
    for group in (limbs.arm_facts, limbs.hand_facts, limbs.leg_facts, limbs.feet_facts, limbs.pair_facts):
        known |= group(m)
    known |= gesture_facts(m, known)
    window = state[None] if history is None else BodyState.cat((history, state[None]))
    known |= movement_facts(window, m, known)
    known |= {} if thing is None else thing_facts(m, state, thing)
    at_rest = -either(
        known["run"], known["walk_forward"], known["walk_backward"], known["step_sideways"].amax(-1)
    ).clamp_max(-UNKNOWN)
    columns = []
    for fact, phrases in phrase_book().items():
        base, _, side = fact.partition(".")
        if thing is None and "thing" in phrases.parts:
            columns.append(torch.full_like(at_rest, UNKNOWN))
            continue
        margin = known[base]
        if side == "both":
            margin = both(margin)
        elif side:
            margin = margin[:, SIDES.index(side)]
        columns.append(torch.minimum(margin, at_rest) if phrases.at_rest else margin)
    return Facts(torch.stack(columns, -1))


def _columns() -> dict[str, int]:
    """Column of every fact."""
    return {fact: number for number, fact in enumerate(phrase_book())}


def _names(mask: Bool[Tensor, "state fact"]) -> list[list[str]]:
    """Names of the columns that are set, for every row."""
    names = list(phrase_book())
    return [list(compress(names, row)) for row in mask.cpu().numpy()]
