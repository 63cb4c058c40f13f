"""What an image-text model makes of simulated bodies: by pictures of them, or by a projection that spares these."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill.body.state import BodyState
from anyskill.learning.state import Stateful
from anyskill.sim.engine import CONTROL_RATE
from anyskill.skill.errors import SkillError
from anyskill.vision_language.model import ImageTextModel
from anyskill.vision_language.picture_features import PictureFeatures
from anyskill.vision_language.projection import Projection, StateProjection
from anyskill.vision_language.projection_audit import Audit
from anyskill.vision_language.projection_training import LearnerConfig, ProjectionLearner

_log = logging.getLogger(__name__)

REFRESHING = LearnerConfig(memory=4096, minibatch_size=256)  # all audits of a long run


@dataclass(frozen=True)
class FeatureSource:
    """Features of bodies, in the space of a model's sentences."""

    function: Callable[[BodyState], Float[Tensor, "n d"]]
    """Unit-length features of ``(n,)`` states; of ``(n, frames)`` histories, oldest first, where there are several."""
    frames: int = 1
    """States one feature looks back over: 1, or as many as the model wants pictures."""
    stride: int = 6
    """Control steps from one of them to the next."""

    @classmethod
    def pictures(cls, pictures: PictureFeatures) -> Self:
        """True pictures, drawn and encoded."""
        return cls(pictures, pictures.model.frames, round(CONTROL_RATE * pictures.views.interval))

    @classmethod
    def projection(cls, projection: StateProjection) -> Self:
        """State projection (section 3.3), thousands of times as fast."""
        return cls(projection, projection.frames, round(CONTROL_RATE * projection.views.interval))


class Onlooker:
    """Follows all worlds, step by step, and says what the features of their latest past are.

    Args:
        source: Of features.
        state: Of all worlds, for shape and device.
    """

    def __init__(self, source: FeatureSource, state: BodyState) -> None:
        self.source = source
        self._length = (source.frames - 1) * source.stride + 1
        self._newest = self._length - 1
        self._past = {  # (time, world, body, …); the next state takes the place of the oldest
            field.name: getattr(state, field.name).expand(self._length, *getattr(state, field.name).shape).clone()
            for field in fields(BodyState)
        }

    def watch(self, state: BodyState, fresh: Bool[Tensor, "world"]) -> None:
        """Take a control step's states; worlds with a ``fresh`` episode are remembered as if they had stood still."""
        self._newest = (self._newest + 1) % self._length
        rows = fresh.nonzero()[:, 0]
        for name, past in self._past.items():
            now = getattr(state, name)
            past[self._newest] = now
            past[:, rows] = now[rows]

    @property
    def states(self) -> BodyState:
        """What one feature is of: ``(world,)`` states, or ``(world, frames)`` histories."""
        times = self._order[:: self.source.stride]
        seen = {name: past[times].transpose(0, 1) for name, past in self._past.items()}
        return BodyState(**seen) if self.source.frames > 1 else BodyState(**seen)[:, 0]

    @property
    def _order(self) -> list[int]:
        """Where the past is, oldest first."""
        return [(self._newest + 1 + time) % self._length for time in range(self._length)]

    @torch.no_grad()
    def feature(self) -> Float[Tensor, "world d"]:
        """Unit-length features of all worlds as they are now."""
        return self.source.function(self.states)

    def state_dict(self) -> dict[str, Tensor]:
        """The past that later features may look at, oldest first."""
        return {name: past[self._order] for name, past in self._past.items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from there."""
        self._newest = self._length - 1
        for name, past in self._past.items():
            past.copy_(state[name])


@dataclass(frozen=True)
class Sentences:
    """What is to be done, as sentences and as their features."""

    texts: tuple[str, ...]
    features: Float[Tensor, "text d"]
    """Of unit length."""
    baseline: Float[Tensor, "d"]
    """Of a sentence that says no more than that there is a body (``vlm-rm``)."""

    def __len__(self) -> int:
        return len(self.texts)

    @classmethod
    def encode(cls, model: ImageTextModel, texts: Sequence[str], baseline: str = "a humanoid standing") -> Self:
        """Encode sentences.

        Raises:
            SkillError: There is none, or one is empty.
        """
        if not texts or not all(text.strip() for text in texts):
            raise SkillError("a skill needs a sentence that says what to do, such as: raise both arms.")
        features = model.encode_texts([*texts, baseline])
        return cls(tuple(texts), features[:-1], features[-1])


class ProjectionAudit:
    """Holds a projection against true pictures of what the policy visits, whenever that is due; alarms are logged.

    One that learnt from pictures then learns from these (section 3.3), for a policy goes where its training was not.
    BodyCLIP's own did not, and stays as it is.
    """

    def __init__(self, audit: Audit, projection: StateProjection) -> None:
        self.audit, self.projection = audit, projection
        self._learner = ProjectionLearner(projection, REFRESHING) if isinstance(projection, Projection) else None

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """Everything it changes; see ``Trainer.parts``."""
        return {} if self._learner is None else self._learner.parts

    def __call__(self, iteration: int, states: BodyState, draws: torch.Generator) -> dict[str, float]:
        """After every iteration, with its number and what features are of; metrics, or none.

        They are those from before it learns.
        """
        if not self.audit.due(iteration):
            return {}
        report, audited, true = self.audit(self.projection, states, draws)
        for reason in report.reasons:
            _log.warning("Audit after %d iterations: %s", iteration, reason)
        if self._learner is not None:
            self._learner.refresh(audited, true, draws)
        return {
            "audit/cosine": report.cosine,
            "audit/spearman": min(report.spearman.values()),
            "audit/optimism": report.optimism,
            "audit/alarm": float(report.alarm),
        }
