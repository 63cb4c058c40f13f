"""Batches to learn from: bodies, and sentences about them that are written anew each time."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill.body.state import BodyState
from anyskill.vision_language.bodyclip.captions import FULL, Caption, Captioner
from anyskill.vision_language.bodyclip.claims import Claims
from anyskill.vision_language.bodyclip.facts import Facts, facts_of
from anyskill.vision_language.bodyclip.moments import INTERVALS, MomentSampler, other_sides, stopped
from anyskill.vision_language.bodyclip.towers import MAX_FRAMES

DETAILS = (1, 2, 2, 3, 5, 5, FULL, FULL, FULL)
"""How many facts a sentence tells, drawn from these."""
_LABELLED = 0.5  # how often a motion that has a name is called by it
_ALONE = 0.5  # how often nothing else is said then


@dataclass(frozen=True)
class Batch:
    """Moments with a true sentence and a false one each.

    ``admitted`` and ``admitted_negative`` say of which bodies (rows) a sentence (columns) may be true: they must not be
    pushed apart. ``moves`` says which sentences are clearly false of their own body if it is held still.
    """

    states: BodyState
    interval: float
    texts: list[str]
    negatives: list[str]
    claims: Float[Tensor, "n claim"]
    false_claims: Float[Tensor, "n claim"]
    admitted: Bool[Tensor, "n n"]
    admitted_negative: Bool[Tensor, "n n"]
    moves: Bool[Tensor, "n"]


def history_facts(states: BodyState) -> Facts:
    """Facts of histories ``(n, moment)``; a single moment shows no movement."""
    if states.batch_shape[1] == 1:
        return facts_of(states[:, 0]).still()
    return facts_of(states[:, -1], _time_first(states[:, :-1]))


def denied_when_still(states: BodyState) -> Bool[Tensor, "n fact"]:
    """What everybody would deny of histories ``(n, moment)`` if nothing moved in them."""
    return history_facts(stopped(states)).margins <= -1


def random_batch(sampler: MomentSampler, claims: Claims, count: int, generator: torch.Generator) -> Batch:
    """A batch of histories of any length, half of them of one state, at any interval of ``INTERVALS``."""
    frames = max(1, int(torch.randint(2 - MAX_FRAMES, MAX_FRAMES + 1, (), generator=generator)))
    interval = INTERVALS[int(torch.randint(len(INTERVALS), (), generator=generator))]
    return make_batch(sampler, claims, count, frames, interval, generator)


def make_batch(
    sampler: MomentSampler, claims: Claims, count: int, frames: int, interval: float, generator: torch.Generator
) -> Batch:
    """Histories of ``frames`` states, ``interval`` seconds apart, and what can be said of them.

    Moments of which nothing can be said, or nothing false, are left out of the ``count``.
    """
    moments = sampler.sample(count, frames, interval, generator)
    facts = history_facts(moments.states)
    captioner = Captioner(generator)
    chosen: list[int] = []
    captions: list[Caption] = []
    negatives: list[Caption] = []
    called: list[tuple[str, ...]] = []
    choices = torch.randint(len(DETAILS), (count,), generator=generator).tolist()
    chances = torch.rand(count, 3, generator=generator).tolist()
    for index, (labels, choice, chance) in enumerate(zip(sampler.labels_of(moments), choices, chances, strict=True)):
        if not facts.true[index]:
            continue
        labelled, which, alone = chance
        label = labels[int(which * len(labels))] if labels and labelled < _LABELLED else None
        if label is None:
            caption = captioner.caption(facts, index, DETAILS[choice])
        else:
            caption = captioner.caption_with_label(facts, index, label, min(DETAILS[choice], 3))
        try:
            negative = captioner.negative(caption, facts, index)
        except ValueError:  # everything about it is in doubt
            continue
        if label is not None and alone < _ALONE:
            caption = replace(caption, text=label, parts=())
            if (other := other_sides(label)) not in labels:
                negative = replace(caption, text=other, label=other)
        chosen.append(index)
        captions.append(caption)
        negatives.append(negative)
        called.append(labels)
    kept = torch.tensor(chosen, dtype=torch.long)
    states, facts = moments.states[kept], Facts(facts.margins[kept])
    keys, false_keys = [caption.key for caption in captions], [negative.key for negative in negatives]
    told = claims.rows(keys)
    moves = torch.zeros(len(kept), dtype=torch.bool)
    if frames > 1:  # a single picture shows no movement
        labelled = torch.tensor([caption.label is not None for caption in captions], dtype=torch.bool)
        denied = denied_when_still(states)
        moves = labelled & (sampler.pace[moments.clip[kept]] > 0) | (denied & (told[:, : denied.shape[1]] > 0)).any(1)
    return Batch(
        states,
        interval,
        [caption.text for caption in captions],
        [negative.text for negative in negatives],
        told,
        claims.rows(false_keys),
        facts.admits(keys) & claims.suits(keys, called),
        facts.admits(false_keys) & claims.suits(false_keys, called),
        moves,
    )


def _time_first(states: BodyState) -> BodyState:
    """``(n, moment)`` → ``(moment, n)``."""
    return BodyState.stack([states[:, moment] for moment in range(states.batch_shape[1])])
