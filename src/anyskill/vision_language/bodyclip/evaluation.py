"""How good a BodyCLIP is: the figures of its card, under keys that stay.

All pictures are of held-out motions; sentences are written anew. Shares lie between 0 and 1. Where a key says
``by_state``, the state tower has looked at the same bodies instead of the image tower at their pictures.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import torch
from jaxtyping import Float, Int
from torch import Tensor

from anyskill.bench import run_cases
from anyskill.learning.seeding import Streams
from anyskill.vision_language.bodyclip import batches
from anyskill.vision_language.bodyclip.bench import speed_cases
from anyskill.vision_language.bodyclip.captions import FULL, Captioner
from anyskill.vision_language.bodyclip.facts import Facts
from anyskill.vision_language.bodyclip.model import BodyClip
from anyskill.vision_language.bodyclip.moments import stopped
from anyskill.vision_language.bodyclip.paraphrases import paraphrase_figures
from anyskill.vision_language.bodyclip.phrases import phrase_book
from anyskill.vision_language.bodyclip.shards import Shard, Shards, original_name
from anyskill.vision_language.bodyclip.towers import MAX_FRAMES
from anyskill.vision_language.model import VisionLanguageError

RETRIEVED = 1000
"""Pictures to choose from."""
PICTURES_OF_A_CLIP = 8
"""Moments by which a motion is recognised."""
_MEASURED = 3.0  # s, of each speed


def evaluate(model: BodyClip, pictures: Shards, manifest: Path | None = None, seed: int = 0) -> dict[str, float | None]:
    """All figures.

    Args:
        model: To be judged.
        pictures: Of held-out motions.
        manifest: CSV file with columns ``file`` and ``label`` of the motions; without it, labels are not judged.
        seed: Of wordings, and of which pictures are compared.
    """
    streams = Streams(seed)
    figures: dict[str, float | None] = {}
    singles, histories = ([s for s in pictures if s.pictures.shape[1] == frames] for frames in (1, MAX_FRAMES))
    for name, shards in (("picture", singles), ("sequence", histories)):
        figures |= caption_figures(model, shards, name, streams(name)) if shards else {}
    figures |= movement_figures(model, histories, streams("movement"))
    labels = {"labels_top1": None, "labels_top5": None, "label_clips": None}
    figures |= labels if manifest is None else label_figures(model, pictures, read_manifest(manifest))
    figures |= paraphrase_figures(model, streams("paraphrases"))
    figures |= speed_figures(model)
    figures["parameters"] = sum(p.numel() for p in model.towers.parameters())
    return figures


def summary(runs: Sequence[Mapping[str, float | None]]) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Means over some evaluations, and how far the one that is farthest off is from them."""
    means: dict[str, float | None] = {}
    spread: dict[str, float | None] = {}
    for name in runs[0]:
        values = [value for run in runs if (value := run[name]) is not None]
        means[name] = fmean(values) if values else None
        spread[name] = max(abs(value - fmean(values)) for value in values) if values else None
    return means, spread


def caption_figures(
    model: BodyClip, shards: Iterable[Shard], name: str, generator: torch.Generator
) -> dict[str, float | None]:
    """Full-length sentences among ``RETRIEVED`` pictures, and against sentences that differ in one thing."""
    seen, known, told, false = [], [], [], []
    left = RETRIEVED
    for shard in shards:
        rows = torch.randperm(len(shard.clip), generator=generator)[:left]
        states = shard.states(rows)
        facts = batches.history_facts(states)
        captioner = Captioner(generator)
        kept, texts, negatives = _full_captions(captioner, facts)
        seen.append(model.encode_images(shard.pictures[rows[kept]], shard.interval))
        known.append(model.encode_states(states[kept], shard.interval))
        told.append(model.encode_texts(texts))
        false.append(model.encode_texts(negatives))
        left -= len(rows)
    right, wrong = torch.cat(told), torch.cat(false)
    figures: dict[str, float | None] = {f"{name}_count": len(right)}
    for who, features in ((name, torch.cat(seen)), (f"{name}_by_state", torch.cat(known))):
        figures[f"{who}_r1"] = recall(right @ features.T, 1)
        figures[f"{who}_r10"] = recall(right @ features.T, 10)
        figures[f"{who}_true_sentence_wins"] = float(((features * (right - wrong)).sum(-1) > 0).float().mean())
    return figures


def movement_figures(model: BodyClip, shards: Iterable[Shard], generator: torch.Generator) -> dict[str, float | None]:
    """How often a body that does what a sentence says, a single movement, beats the same body held still."""
    wordings = [phrases.plain for phrases in phrase_book().values()]
    wins: dict[str, list[Tensor]] = {"movement_wins": [], "movement_by_state_wins": []}
    for shard in shards:
        states = shard.states(torch.arange(len(shard.clip)))
        only_moving = (batches.history_facts(states).margins > 0) & batches.denied_when_still(states)
        rows = only_moving.any(1).nonzero()[:, 0]
        facts = only_moving[rows].double().multinomial(1, generator=generator)[:, 0].tolist()
        chances = torch.rand(len(rows), generator=generator).tolist()
        texts = [wordings[fact][int(chance * len(wordings[fact]))] for fact, chance in zip(facts, chances, strict=True)]
        told, pictures, states = model.encode_texts(texts), shard.pictures[rows], states[rows]
        held, still = pictures[:, -1:].expand_as(pictures), stopped(states)
        seen = model.encode_images(pictures, shard.interval) - model.encode_images(held, shard.interval)
        known = model.encode_states(states, shard.interval) - model.encode_states(still, shard.interval)
        for name, difference in zip(wins, (seen, known), strict=True):
            wins[name].append((difference * told).sum(-1) > 0)
    return {name: float(torch.cat(won).float().mean()) if won else None for name, won in wins.items()}


def recall(scores: Float[Tensor, "text picture"], k: int) -> float:
    """Share of sentences whose own picture, that of the same number, is among the k best; ties count against it."""
    own = scores.diagonal()[:, None]
    return float(((scores >= own).sum(1) <= k).float().mean())


def label_figures(model: BodyClip, pictures: Shards, labels: Mapping[str, str]) -> dict[str, float | None]:
    """Held-out motions by what people call them, against all labels that there are.

    Raises:
        VisionLanguageError: If none of the motions has a label.
    """
    candidates = sorted(set(labels.values()))
    told = model.encode_texts(candidates)
    features: dict[str, list[Tensor]] = {}
    for shard in pictures:
        for number in shard.clip.unique().tolist():
            name = original_name(shard.names[number]) if number >= 0 else ""
            if name in labels and shard.pictures.shape[1] == MAX_FRAMES:
                rows = (shard.clip == number).nonzero()[:PICTURES_OF_A_CLIP, 0]
                features.setdefault(name, []).append(model.encode_images(shard.pictures[rows], shard.interval))
    if not features:
        raise VisionLanguageError("none of the test's motions is in the manifest; it must list their files and labels.")
    seen = torch.stack([torch.cat(parts)[:PICTURES_OF_A_CLIP].mean(0) for parts in features.values()])
    right = torch.tensor([candidates.index(labels[name]) for name in features])
    places = places_of(seen @ told.T, right)
    return {
        "label_clips": len(places),
        "labels_top1": float((places < 1).float().mean()),
        "labels_top5": float((places < 5).float().mean()),
    }


def places_of(scores: Float[Tensor, "n choice"], right: Int[Tensor, "n"]) -> Int[Tensor, "n"]:
    """How many choices are at least as good as the right one."""
    own = scores.gather(1, right.to(scores.device)[:, None])
    return (scores >= own).sum(1) - 1


def read_manifest(path: Path) -> dict[str, str]:
    """Labels by the names that motions have in a data set: the file's stem, alone or behind its folder's name.

    Raises:
        VisionLanguageError: If it is no CSV file with these columns.
    """
    try:
        rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
        pairs = [(Path(row["file"]), row["label"]) for row in rows]
    except (OSError, UnicodeDecodeError, KeyError, csv.Error) as error:
        raise VisionLanguageError(f"{path} cannot be read as CSV with columns file and label ({error}).") from error
    return {name: label for file, label in pairs for name in (f"{file.parent.name}_{file.stem}", file.stem)}


def speed_figures(model: BodyClip) -> dict[str, float | None]:
    """Single pictures of its own size, and sentences of usual length, a second."""
    pictures, sentences = run_cases(speed_cases(model)[:2], _MEASURED)
    return {"pictures_per_second": pictures.value, "sentences_per_second": sentences.value}


def _full_captions(captioner: Captioner, facts: Facts) -> tuple[Int[Tensor, "n"], list[str], list[str]]:
    """States of which something can be said, and sentences that say all of it and something false."""
    kept, texts, negatives = [], [], []
    for index, true in enumerate(facts.true):
        if not true:
            continue
        caption = captioner.caption(facts, index, FULL)
        kept.append(index)
        texts.append(caption.text)
        negatives.append(captioner.negative(caption, facts, index).text)
    return torch.tensor(kept, dtype=torch.long), texts, negatives
