"""Training BodyCLIP: pictures, states and sentences of the same moments come together, all others part.

First states and sentences learn from each other: a state needs no eyes, so they soon agree on what matters. Then the
image tower learns to say of a picture what the state tower says of the body in it, and the other two rest.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from anyskill.learning.config import require
from anyskill.learning.guard import check_finite
from anyskill.learning.optimizer import OptimizerState
from anyskill.learning.progress import PhaseTimer
from anyskill.learning.seeding import Streams
from anyskill.learning.state import Stateful
from anyskill.text.phrasebook import Phrasebook
from anyskill.vision_language.bodyclip.batches import Batch, make_batch
from anyskill.vision_language.bodyclip.losses import contrastive_loss, cosine_loss, pair_loss, synonym_loss
from anyskill.vision_language.bodyclip.model import planes_of
from anyskill.vision_language.bodyclip.shards import Shard, Shards
from anyskill.vision_language.bodyclip.teacher import Lessons
from anyskill.vision_language.bodyclip.tokenizer import Tokenizer, Tokens
from anyskill.vision_language.bodyclip.towers import Towers, TowersConfig, encode_in_groups

_ALIKE = 0.95  # bodies whose features have this cosine need not be told apart


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of the training."""

    towers: TowersConfig = field(default_factory=TowersConfig)
    """Sizes of the networks."""
    state_iterations: int = 2500
    """Gradient steps of states and sentences."""
    picture_iterations: int = 1700
    """Gradient steps of pictures, which come after; one takes twice as long."""
    batch: int = 256
    """Moments in an iteration."""
    synonyms: int = 64
    """Pairs of the phrasebook, everyday words and limb language, in an iteration."""
    lessons: int = 128
    """Sentences of the teacher in an iteration, if there is one."""
    learning_rate: float = 1e-3
    """Of AdamW, after the warm-up of each stage; then it falls as a cosine, to zero at the stage's end."""
    warm_up: int = 200
    """Iterations over which the learning rate rises."""
    weight_decay: float = 0.02
    """Of matrices."""
    pair_weight: float = 0.5
    """Of the true sentence against the one that differs in one thing."""
    follow_weight: float = 1.0
    """Of the cosine between the features of picture and state, beside the contrast between them."""
    synonym_weight: float = 0.2
    """Of the phrasebook."""
    lesson_weight: float = 1.0
    """Of the teacher."""
    bf16: bool = True
    """Multiply in bfloat16."""
    seed: int = 0
    """Of everything random."""

    def __post_init__(self) -> None:
        for name in ("state_iterations", "picture_iterations"):
            require(self, name, getattr(self, name) > 0, "at least 1")
        require(self, "batch", self.batch > 1, "at least 2: with one alone there is nothing to tell apart")

    @property
    def iterations(self) -> int:
        """Of both stages."""
        return self.state_iterations + self.picture_iterations


@dataclass
class _Clock:
    """Iterations done."""

    iteration: int = 0

    def state_dict(self) -> dict[str, Any]:
        return {"iteration": self.iteration}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.iteration = state["iteration"]


class BodyClipTraining:
    """``Trainer``. What an iteration sees depends on the seed and its number alone.

    Args:
        config: Settings.
        shards: Pictures to learn from.
        tokenizer: Knows the words.
        lessons: What a teacher says of many sentences.
        device: Where networks learn.
    """

    def __init__(
        self,
        config: TrainingConfig,
        shards: Shards,
        tokenizer: Tokenizer,
        lessons: Lessons | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.config, self.shards, self.tokenizer, self.lessons = config, shards, tokenizer, lessons
        self.device = torch.device(device)
        self.timer = PhaseTimer(self.device)
        generator = Streams(config.seed)("weights")
        self.networks = nn.ModuleDict({"towers": Towers(config.towers, len(tokenizer), tokenizer.buckets, generator)})
        if lessons is not None:
            width = lessons.features.shape[1]
            self.networks["pupil"] = nn.Linear(config.towers.text_width, width, bias=False)
            nn.init.normal_(self.networks["pupil"].weight, std=0.05, generator=generator)  # type: ignore[arg-type]
        self.networks.to(self.device)
        parameters = list(self.networks.parameters())
        groups = [
            {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": config.weight_decay},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)
        self._clock = _Clock()
        self._book = list(Phrasebook.load().descriptions.items())

    @property
    def towers(self) -> Towers:
        """What is trained."""
        towers = self.networks["towers"]
        assert isinstance(towers, Towers)
        return towers

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """Everything with a state."""
        return {
            "networks": self.networks,
            "optimizer": OptimizerState(self.optimizer, self.networks),
            "clock": self._clock,
        }

    def iterate(self) -> tuple[int, dict[str, float]]:
        """One gradient step; samples are moments."""
        number = self._clock.iteration
        generator = Streams(self.config.seed)(f"batch {number}")
        shard = self.shards[int(torch.randint(len(self.shards), (), generator=generator))]
        rows = torch.randperm(len(shard.clip), generator=generator)[: self.config.batch]
        frames = 1 + int(torch.randint(shard.pictures.shape[1], (), generator=generator))
        self.networks.train()
        if number < self.config.state_iterations:
            with self.timer("captions"):
                batch = make_batch(shard, rows, frames, generator)
            with self.timer("sentences"):
                metrics = self._step(*self._tell(batch, generator), self._rate(number))
        else:
            with self.timer("pictures"):
                metrics = self._step(*self._show(shard, rows, frames), self._rate(number))
        self._clock.iteration += 1
        return len(rows), metrics

    def _rate(self, number: int) -> float:
        """The learning rate of an iteration."""
        first = self.config.state_iterations
        step, steps = (number, first) if number < first else (number - first, self.config.picture_iterations)
        rise = (step + 1) / (self.config.warm_up + 1)
        fall = 0.5 + 0.5 * math.cos(math.pi * min(step / steps, 1.0))
        return self.config.learning_rate * min(rise, 1.0) * fall

    def _step(self, losses: dict[str, Tensor], metrics: dict[str, Tensor], rate: float) -> dict[str, float]:
        loss = torch.stack(list(losses.values())).sum()
        check_finite("loss", losses)
        self.optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.networks.parameters(), 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        metrics |= {f"loss/{name}": value for name, value in losses.items()}
        metrics |= {"loss": loss, "gradient": norm, "scale": self.towers.scale}
        return {name: float(value.detach()) for name, value in metrics.items()} | {"learning_rate": rate}

    def _tell(self, batch: Batch, generator: torch.Generator) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Weighted losses of states and sentences, and what else is worth knowing."""
        config, scale, n = self.config, self.towers.scale, len(batch.texts)
        chosen = torch.randperm(len(self._book), generator=generator)[: config.synonyms].tolist()
        names, descriptions = zip(*(self._book[number] for number in chosen), strict=True)
        features = self._encode(self.towers.text, [*batch.texts, *batch.negatives, *names, *descriptions])
        told, false, plain, limbs = features.split((n, n, len(names), len(names)))
        same = torch.tensor([[a == b for b in descriptions] for a in descriptions], device=self.device)
        with self._multiplying():
            state = self.towers.state(batch.states.to(self.device), batch.interval)
        admitted, admitted_false = batch.admitted.to(self.device), batch.admitted_negative.to(self.device)
        losses = {
            "state": contrastive_loss(state, told, false, scale, admitted, admitted_false),
            "pairs": config.pair_weight * pair_loss(state, told, false, scale),
            "synonyms": config.synonym_weight * synonym_loss(plain, limbs, scale, same),
        }
        if self.lessons is not None:
            texts, target = self.lessons.sample(config.lessons, generator)
            answer = self.networks["pupil"](self._encode(self.towers.text.meaning, texts).float())
            losses["lessons"] = config.lesson_weight * cosine_loss(answer, target.to(self.device))
        return losses, {
            "sentences_found": share_found(state, told, admitted),
            "true_sentence_wins": ((state * (told - false)).sum(-1) > 0).float().mean(),
        }

    def _show(self, shard: Shard, rows: Int[Tensor, "n"], frames: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Weighted losses of pictures, whose teacher is the state tower, and what else is worth knowing."""
        states, pictures = shard.states(rows)[:, -frames:], shard.pictures[rows][:, -frames:]
        with self._multiplying():
            planes = planes_of(pictures.to(self.device), torch.bfloat16 if self.config.bf16 else torch.float32)
            seen = self.towers.picture(planes, shard.interval)
            with torch.no_grad():
                target = self.towers.state(states.to(self.device), shard.interval)
        alike = target @ target.T > _ALIKE
        losses = {
            "follow": self.config.follow_weight * cosine_loss(seen, target),
            "picture": synonym_loss(seen, target, self.towers.scale.detach(), alike),
        }
        return losses, {
            "cosine": (seen * target).sum(-1).mean(),
            "states_found": share_found(seen, target, alike),
        }

    def _encode(self, tower: Callable[[Tokens], Tensor], texts: Sequence[str]) -> Float[Tensor, "n d"]:
        with self._multiplying():
            return encode_in_groups(tower, self.tokenizer, texts, self.device)

    def _multiplying(self) -> torch.autocast:
        """Networks may multiply in bfloat16; losses must not, for a cosine is multiplied by up to a hundred."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16)


@torch.no_grad()
def share_found(
    seen: Float[Tensor, "n d"], told: Float[Tensor, "n d"], admitted: Bool[Tensor, "n n"]
) -> Float[Tensor, ""]:
    """Share of sentences that are nearest to their own picture, those it may be true of as well left aside."""
    own = torch.eye(len(seen), dtype=torch.bool, device=seen.device)
    cosine = (seen @ told.T).masked_fill(admitted & ~own, -2.0)
    return (cosine.argmax(0) == torch.arange(len(seen), device=seen.device)).float().mean()
