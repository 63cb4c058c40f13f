"""Audits of a projection: does it still say what pictures say, on the states a policy visits?

A policy is paid by the projection and finds its mistakes. So every now and then some of its states are rendered and
encoded, and the two are compared; where they disagree, an alarm is raised.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

import torch
from jaxtyping import Float
from scipy.stats import spearmanr
from torch import Tensor

from anyskill.body.state import BodyState
from anyskill.learning.config import require
from anyskill.vision_language.picture_features import PictureFeatures
from anyskill.vision_language.projection import StateProjection
from anyskill.vision_language.similarity import cosine


@dataclass(frozen=True)
class AuditConfig:
    """How often, of how many states, and what is good enough."""

    every: int = 50
    """Iterations from one audit to the next."""
    states: int = 200
    """States that are rendered in an audit."""
    cosine: float = 0.95
    """Least mean cosine between projected and true features."""
    spearman: float = 0.9
    """Least rank correlation between the states' scores by projection and by pictures, for every sentence."""

    def __post_init__(self) -> None:
        require(self, "every", self.every >= 1, "at least 1")
        require(self, "states", self.states >= 3, "at least 3, or there is no ranking")


@dataclass(frozen=True)
class AuditReport:
    """What an audit found."""

    states: int
    """How many were compared."""
    cosine: float
    """Mean between projected and true features."""
    worst_cosine: float
    """Of the worst in a hundred states."""
    explained: float
    """Share of the true features' variance that the projection explains. Features of all bodies are alike, so that the
    cosine is high even for a projection that always says the same; this share is then zero."""
    spearman: dict[str, float]
    """Rank correlation of the states' scores by sentence; NaN if all states score the same."""
    optimism: float
    """By how much the projection overrates the tenth of the states that it likes best: what a policy would exploit.
    The largest over all sentences, in units of the true scores' standard deviation."""
    reasons: tuple[str, ...]
    """Why there is an alarm, a sentence each."""

    @property
    def alarm(self) -> bool:
        """Whether the projection is not to be trusted here."""
        return bool(self.reasons)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it: None for NaN."""
        record = asdict(self) | {"alarm": self.alarm}
        return _without_nan(record) | {"spearman": _without_nan(self.spearman)}

    def summary(self) -> str:
        """A few lines to read."""
        worst = sorted(self.spearman.items(), key=lambda item: item[1])[:3]
        lines = [
            f"{self.states} states: mean cosine {self.cosine:.4f}, worst in a hundred {self.worst_cosine:.4f}, "
            f"{self.explained:.1%} of the variance explained",
            f"rank correlation: mean {fmean(self.spearman.values()):.3f} over {len(self.spearman)} sentence(s); lowest "
            + ", ".join(f'{value:.3f} "{sentence}"' for sentence, value in worst),
            f"overrates its favourites by at most {self.optimism:.2f} standard deviations",
        ]
        return "\n".join((*lines, *(f"ALARM: {reason}" for reason in self.reasons)))


def compare(
    projected: Float[Tensor, "n d"],
    true: Float[Tensor, "n d"],
    sentences: Sequence[str],
    texts: Float[Tensor, "sentence d"],
    limits: AuditConfig | None = None,
) -> AuditReport:
    """Compare features of the same states.

    Args:
        projected: By the projection.
        true: Of pictures.
        sentences: By which states are ranked.
        texts: Their features.
        limits: What is good enough.
    """
    limits = limits or AuditConfig()
    projected, true, texts = (features.detach().cpu().double() for features in (projected, true, texts))
    agreement = cosine(projected, true)
    ranks, optimism = {}, []
    for sentence, text in zip(sentences, texts, strict=True):
        guess, score = cosine(projected, text), cosine(true, text)
        ranks[sentence] = _rank_correlation(guess, score)
        best = guess.topk(max(1, len(guess) // 10)).indices
        optimism.append(float((guess - score)[best].mean() / score.std().clamp_min(1e-12)))
    mean = float(agreement.mean())
    explained = 1 - (projected - true).square().sum() / (true - true.mean(0)).square().sum().clamp_min(1e-12)
    reasons = []
    if not mean >= limits.cosine:  # also if it is NaN
        reasons.append(f"the mean cosine between projected and true features is {mean:.3f}, below {limits.cosine:g}.")
    for sentence, value in ranks.items():
        if not value >= limits.spearman:
            reasons.append(f'states are ranked differently by "{sentence}": {value:.3f}, below {limits.spearman:g}.')
    return AuditReport(
        len(true),
        mean,
        float(agreement.quantile(0.01)),
        float(explained),
        ranks,
        max(optimism, default=0.0),
        tuple(reasons),
    )


class Audit:
    """Compares a projection with pictures while a skill is learnt.

    Args:
        pictures: The truth.
        sentences: Whose scores matter.
        config: How often and how strictly.
        known: Makes states that are no policy's; they take half of the places. A policy's may all be alike, so that
            there is nothing to rank, and shall stand out by pictures too. Asked for with the first audit.
    """

    def __init__(
        self,
        pictures: PictureFeatures,
        sentences: Sequence[str],
        config: AuditConfig | None = None,
        known: Callable[[], BodyState] | None = None,
    ) -> None:
        self.pictures, self.sentences, self.config = pictures, tuple(sentences), config or AuditConfig()
        self._texts = pictures.model.encode_texts(self.sentences)
        self._make_known = known

    @cached_property
    def _known(self) -> BodyState | None:
        return None if self._make_known is None else self._make_known()

    def due(self, iteration: int) -> bool:
        """Whether an audit is to be done after this iteration."""
        return iteration % self.config.every == 0

    @torch.no_grad()
    def __call__(
        self, projection: StateProjection, states: BodyState, draws: torch.Generator, objects: BodyState | None = None
    ) -> tuple[AuditReport, BodyState, Float[Tensor, "sample d"]]:
        """Audit on a random sample of states; with known ones beside them there are no objects.

        Returns:
            The report; the states that were compared; and their true features, for ``ProjectionLearner.refresh``.
        """
        count, device = len(states.positions), states.positions.device
        places = self.config.states if self._known is None else self.config.states // 2
        chosen = torch.randperm(count, generator=draws, device=draws.device)[:places].to(device)
        states, objects = states[chosen], None if objects is None else objects[chosen]
        if self._known is not None:
            states = BodyState.cat((states, self._known[: len(chosen)].to(device)))
        true = self.pictures(states, objects)
        report = compare(projection(states, objects), true, self.sentences, self._texts, self.config)
        return report, states, true


def _without_nan(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in record.items()}


def _rank_correlation(a: Float[Tensor, "n"], b: Float[Tensor, "n"]) -> float:
    """Spearman's, NaN where one of them is constant or not finite."""
    varied = all(values.isfinite().all() and (values != values[0]).any() for values in (a, b))
    return float(spearmanr(a.numpy(), b.numpy()).statistic) if varied else float("nan")
