"""Everyday sentences, written without looking at the phrase book, and the poses they mean.

``assets/paraphrases.yaml`` has two parts. Under ``facts``, a sentence means every body of which some facts hold; under
``clips``, an authored motion: the first of those named, while the others are right as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import torch
import yaml
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill.body.state import BodyState
from anyskill.motion.authored import authored_clips
from anyskill.motion.library import MotionLibrary
from anyskill.render.camera import Camera
from anyskill.vision_language.bodyclip.batches import history_facts
from anyskill.vision_language.bodyclip.facts import Facts
from anyskill.vision_language.bodyclip.moments import placed
from anyskill.vision_language.bodyclip.phrases import SIDES, phrase_book
from anyskill.vision_language.bodyclip.shards import draw
from anyskill.vision_language.bodyclip.towers import MAX_FRAMES

if TYPE_CHECKING:
    from anyskill.vision_language.bodyclip.model import BodyClip

DISTRACTORS = 50
"""Poses that a sentence does not mean, beside the one it means."""
_PHASES = (0.3, 0.4, 0.5, 0.6, 0.7)  # of a motion, at which it is looked at
_STEP = 6  # frames between two pictures: 0.2 s


@dataclass(frozen=True)
class Paraphrases:
    """Sentences with what they mean: names of facts, or of motions."""

    facts: Mapping[str, tuple[str, ...]]
    clips: Mapping[str, tuple[str, ...]]

    @classmethod
    def load(cls) -> "Paraphrases":
        """Those that come with this package."""
        content = yaml.safe_load(files("anyskill").joinpath("assets", "paraphrases.yaml").read_text("utf-8"))
        facts, clips = (
            {sentence: tuple(meaning.split()) for sentence, meaning in content[part].items()}
            for part in ("facts", "clips")
        )
        return cls(facts, clips)

    @property
    def sentences(self) -> frozenset[str]:
        """All of them."""
        return frozenset((*self.facts, *self.clips))


@dataclass(frozen=True)
class Pool:
    """Moments of the authored motions, seen from the front."""

    states: BodyState  # (n, moment)
    facts: Facts
    clip: Int[Tensor, "n"]
    middle: Bool[Tensor, "n"]  # the middle of its motion
    names: tuple[str, ...]

    @classmethod
    def of(cls, library: MotionLibrary) -> "Pool":
        """Some moments of every motion."""
        clip = torch.arange(len(library)).repeat_interleave(len(_PHASES))
        phase = torch.tensor(_PHASES).repeat(len(library))
        last = (phase * library.lengths[clip]).long()
        past = _STEP * torch.arange(1 - MAX_FRAMES, 1)
        states = library.states(clip[:, None].expand(-1, MAX_FRAMES), (last[:, None] + past).clamp_min(0))
        states = placed(states, torch.zeros(len(clip)))
        return cls(states, history_facts(states), clip, phase == 0.5, library.names)

    def meant(self, facts: tuple[str, ...]) -> tuple[Bool[Tensor, "n"], Bool[Tensor, "n"]]:
        """Moments of which all the facts hold, and those of which one is clearly false; without a side, either."""
        sides = [[fact] if fact in phrase_book() else [f"{fact}.{side}" for side in SIDES] for fact in facts]
        holds = [torch.stack([self.facts.holds(name) for name in names]).any(0) for names in sides]
        doubtful = [self.facts.admits([[name] for name in names]).any(1) for names in sides]
        return torch.stack(holds).all(0), ~torch.stack(doubtful).all(0)

    def shown(self, names: tuple[str, ...]) -> tuple[Bool[Tensor, "n"], Bool[Tensor, "n"]]:
        """The middle of the first motion, and all moments of motions that are not named."""
        numbers = torch.tensor([self.names.index(name) for name in names])
        return (self.clip == numbers[0]) & self.middle, ~torch.isin(self.clip, numbers)


def paraphrase_figures(model: "BodyClip", generator: torch.Generator) -> dict[str, float | None]:
    """How often the meant pose is the best, or one of the five best, among itself and the distractors."""
    pool, paraphrases = Pool.of(MotionLibrary(authored_clips())), Paraphrases.load()
    pictures = draw(pool.states, Camera(), worlds=60, device=model.device)
    seen = {
        "paraphrases": model.encode_images(pictures, _STEP / 30),
        "paraphrases_by_state": model.encode_states(pool.states, _STEP / 30),
    }
    sentences = {text: pool.meant(facts) for text, facts in paraphrases.facts.items()}
    sentences |= {text: pool.shown(names) for text, names in paraphrases.clips.items()}
    told = model.encode_texts(list(sentences))
    figures: dict[str, float | None] = {"paraphrases": len(sentences)}
    for who, features in seen.items():
        scores = zip(told @ features.T, sentences.values(), strict=True)
        places = torch.tensor([place(row, right, wrong, generator) for row, (right, wrong) in scores])
        figures[f"{who}_top1"] = float((places < 1).float().mean())
        figures[f"{who}_top5"] = float((places < 5).float().mean())
    return figures


def place(
    scores: Float[Tensor, "n"], right: Bool[Tensor, "n"], wrong: Bool[Tensor, "n"], generator: torch.Generator
) -> int:
    """Of one right moment among ``DISTRACTORS`` wrong ones, all drawn by chance: how many are at least as good."""
    scores = scores.cpu()
    chosen = right.nonzero()[:, 0]
    chosen = chosen[torch.randint(len(chosen), (), generator=generator)]
    others = wrong.nonzero()[:, 0]
    others = others[torch.randperm(len(others), generator=generator)[:DISTRACTORS]]
    return int((scores[others] >= scores[chosen]).sum())
