"""Batches to learn from: pictures, states, and sentences about them that are written anew each time."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int, UInt8
from torch import Tensor

from anyskill.body.state import BodyState
from anyskill.vision_language.bodyclip.captions import FULL, Caption, Captioner
from anyskill.vision_language.bodyclip.facts import Facts, facts_of
from anyskill.vision_language.bodyclip.shards import Shard

DETAILS = (1, 2, 2, 3, 3, 5, 5, FULL, FULL)
"""How many facts a sentence tells, drawn from these."""
_LABELLED = 0.5  # how often a motion that has a name is called by it


@dataclass(frozen=True)
class Batch:
    """Moments with a true sentence and a false one each.

    ``admitted`` and ``admitted_negative`` say of which pictures (rows) a sentence (columns) may be true: they must not
    be pushed apart.
    """

    pictures: UInt8[Tensor, "n frame 112 112 3"]
    states: BodyState
    interval: float
    texts: list[str]
    negatives: list[str]
    admitted: Bool[Tensor, "n n"]
    admitted_negative: Bool[Tensor, "n n"]


def history_facts(states: BodyState) -> Facts:
    """Facts of histories ``(n, moment)``; a single moment shows no movement."""
    if states.batch_shape[1] == 1:
        return facts_of(states[:, 0]).still()
    return facts_of(states[:, -1], _time_first(states[:, :-1]))


def make_batch(shard: Shard, rows: Int[Tensor, "n"], frames: int, generator: torch.Generator) -> Batch:
    """A batch from rows of a shard, with the last ``frames`` of its pictures.

    Moments of which nothing can be said, or nothing false, are left out.
    """
    states = shard.states(rows)[:, -frames:]
    facts = history_facts(states)
    captioner = Captioner(generator)
    chosen: list[int] = []
    captions: list[Caption] = []
    negatives: list[Caption] = []
    texts: list[str] = []
    names: list[tuple[str, ...]] = []
    choices = torch.randint(len(DETAILS), (len(rows),), generator=generator).tolist()
    chances = torch.rand(len(rows), 3, generator=generator).tolist()
    for index, (row, choice, (labelled, which, alone)) in enumerate(zip(rows.tolist(), choices, chances, strict=True)):
        if not facts.true[index]:
            continue
        labels = shard.labels_of(row)
        if labels and labelled < _LABELLED:
            label = labels[int(which * len(labels))]
            caption = captioner.caption_with_label(facts, index, label, min(DETAILS[choice], 3))
            text = label if alone < 0.5 else caption.text
        else:
            caption = captioner.caption(facts, index, DETAILS[choice])
            text = caption.text
        try:
            negative = captioner.negative(caption, facts, index)
        except ValueError:  # everything about it is in doubt
            continue
        chosen.append(index)
        captions.append(caption)
        negatives.append(negative)
        texts.append(text)
        names.append(labels)
    kept = torch.tensor(chosen, dtype=torch.long)
    facts = Facts(facts.margins[kept])
    told = torch.tensor([[c.label is not None and c.label in labels for c in captions] for labels in names])
    return Batch(
        shard.pictures[rows[kept]][:, -frames:],
        states[kept],
        shard.interval,
        texts,
        [negative.text for negative in negatives],
        facts.admits([caption.key for caption in captions]) | told.view(len(kept), len(kept)),
        facts.admits([negative.key for negative in negatives]),
    )


def _time_first(states: BodyState) -> BodyState:
    """``(n, moment)`` → ``(moment, n)``."""
    return BodyState.stack([states[:, moment] for moment in range(states.batch_shape[1])])
