"""Training of a projection on pictures, and its refreshing on the states a policy visits."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from anyskill.body.state import BodyState
from anyskill.learning.buffers import RowBuffer
from anyskill.learning.config import require
from anyskill.learning.guard import check_finite
from anyskill.learning.optimizer import OptimizerState
from anyskill.learning.progress import PhaseTimer
from anyskill.learning.seeding import Streams
from anyskill.learning.state import Stateful
from anyskill.vision_language.picture_features import PictureFeatures, Views
from anyskill.vision_language.projection import Projection
from anyskill.vision_language.similarity import cosine

StateSource = Callable[[int, torch.Generator], BodyState]
"""So many states (or histories), drawn at random by a stream that lives on the model's device.

What it draws may depend on the stream alone, not on earlier calls, so that a run can go on where it was stopped.
"""


@dataclass(frozen=True)
class LearnerConfig:
    """Gradient steps; the defaults of the rate are for refreshing what was trained before."""

    memory: int = 100_000
    """Samples from which minibatches are drawn."""
    minibatch_size: int = 1024
    """Samples of one gradient step."""
    steps: int = 20
    """Gradient steps of one ``update``."""
    learning_rate: float = 2e-4
    """Of Adam."""

    def __post_init__(self) -> None:
        for name in ("memory", "minibatch_size", "steps"):
            require(self, name, getattr(self, name) >= 1, "at least 1")


class ProjectionLearner:
    """A projection, its optimiser, and a memory of described states with their true features (float16)."""

    def __init__(self, projection: Projection, config: LearnerConfig | None = None) -> None:
        self.projection, self.config = projection, config or LearnerConfig()
        self.optimizer = torch.optim.Adam(projection.parameters(), lr=self.config.learning_rate, fused=True)
        self.memory = RowBuffer(self.config.memory, device=projection.spread.device)

    def remember(
        self, described: Float[Tensor, "n inputs"], features: Float[Tensor, "n d"], draws: torch.Generator
    ) -> None:
        """Keep samples to train on."""
        deviations = self.projection.deviations_of(features)
        self.memory.store({"described": described.half(), "deviations": deviations.half()}, draws)

    def refresh(
        self,
        states: BodyState,
        features: Float[Tensor, "n d"],
        draws: torch.Generator,
        objects: BodyState | None = None,
    ) -> dict[str, float]:
        """Learn from states a policy visits: keep them, and take some gradient steps on all that were kept.

        Args:
            states: Rendered ones.
            features: Of their pictures.
            draws: Random stream.
            objects: Of the states, if there are any.

        Returns:
            Losses, as ``update``.
        """
        with torch.no_grad():
            self.remember(self.projection.describe(states, objects), features, draws)
        return self.update(draws)

    def update(self, draws: torch.Generator, rate: float | None = None) -> dict[str, float]:
        """Some gradient steps on samples from memory; ``rate`` replaces the learning rate.

        Returns:
            Means over the steps: ``loss/squared``, the share of the features' variance that is not explained, and
            ``loss/cosine``, one minus the cosine after the features' mean was taken away.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate if rate is None else rate
        steps = [self._step(draws) for _ in range(self.config.steps)]
        means = torch.stack([torch.stack(list(step.values())) for step in steps]).mean(0).tolist()
        return dict(zip(steps[0], means, strict=True))

    def _step(self, draws: torch.Generator) -> dict[str, Tensor]:
        projection, rows = self.projection, self.memory.sample(self.config.minibatch_size, draws)
        found, wanted = projection.deviations(rows["described"].float()), rows["deviations"].float()
        terms = {
            "loss/squared": (found - wanted).square().mean(),
            "loss/cosine": (1 - cosine(found, wanted)).mean(),
        }
        check_finite("loss", terms)
        self.optimizer.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        nn.utils.clip_grad_norm_(projection.parameters(), 1.0)
        self.optimizer.step()
        return {name: term.detach() for name, term in terms.items()}

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """Projection, optimiser and memory: what a checkpoint needs."""
        optimizer = OptimizerState(self.optimizer, self.projection)
        return {"projection": self.projection, "optimizer": optimizer, "memory": self.memory}


@dataclass(frozen=True)
class ProjectionTrainingConfig:
    """Settings of training from nothing."""

    model: str
    """Name of the image-text model."""
    states: int = 100_000
    """States rendered in all."""
    batch: int = 1024
    """New ones in an iteration."""
    views: Views = field(default_factory=Views)
    """From where."""
    learner: LearnerConfig = LearnerConfig(steps=100, learning_rate=1e-3)
    """Gradient steps of an iteration; the learning rate falls to a hundredth, linearly."""
    seed: int = 0
    """Of everything random."""

    def __post_init__(self) -> None:
        require(self, "states", self.states >= 1, "at least 1")
        require(self, "batch", self.batch >= 1, "at least 1")

    @property
    def iterations(self) -> int:
        """How many it takes."""
        return math.ceil(self.states / self.batch)


class ProjectionTrainer:
    """``Trainer`` of a projection: every iteration renders new states once and trains on all that memory holds.

    Args:
        config: Settings.
        projection: To be trained.
        pictures: The truth.
        source: Where states come from.

    Attributes:
        timer: Phases are ``states``, ``render``, ``encode`` and ``update``.
    """

    def __init__(
        self,
        config: ProjectionTrainingConfig,
        projection: Projection,
        pictures: PictureFeatures,
        source: StateSource,
    ) -> None:
        self.config, self.projection, self.pictures, self.source = config, projection, pictures, source
        self.timer = pictures.timer = PhaseTimer(pictures.model.device)
        self.learner = ProjectionLearner(projection, config.learner)
        self.streams = Streams(config.seed)

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """See ``Trainer.parts``."""
        return {**self.learner.parts, "streams": self.streams}

    def iterate(self) -> tuple[int, dict[str, float]]:
        """See ``Trainer.iterate``; ``cosine`` and ``unexplained`` are those of new states, before training on them."""
        config, projection, learner = self.config, self.projection, self.learner
        progress = min(learner.memory.stored / config.states, 1.0)
        with self.timer("states"):
            states = self.source(config.batch, self.streams("states", self.pictures.model.device))
        features = self.pictures(states)
        with self.timer("update"):
            metrics = self._remember(projection.describe(states.to(features.device)), features)
            metrics |= learner.update(self.streams("draws"), config.learner.learning_rate * (1 - 0.99 * progress))
        return config.batch, metrics

    @torch.no_grad()
    def _remember(self, described: Float[Tensor, "n inputs"], features: Float[Tensor, "n d"]) -> dict[str, float]:
        """Keep new samples; says how well they were predicted before."""
        if not self.learner.memory.stored:
            self.projection.fit_scales(described, features)
        predicted = self.projection.predict(described)
        variance = features.var(0, correction=0).mean().clamp_min(1e-12)
        self.learner.remember(described, features, self.streams("draws"))
        return {
            "cosine": float(cosine(predicted, features).mean()),
            "unexplained": float((predicted - features).square().mean() / variance),
        }
