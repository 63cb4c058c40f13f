"""``Projection``: a network that says, from the state of the body alone, what feature its picture would have.

AnySkill (section 3.3, "State projection") replaces rendering and encoding by such a network while a policy learns.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol, Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from anyskill import rotation
from anyskill.body.humanoid import CHARACTERS, Character
from anyskill.body.state import BodyState
from anyskill.learning.config import from_plain
from anyskill.learning.errors import LearningError
from anyskill.learning.networks import MLP, linear
from anyskill.learning.normalizer import RunningNormalizer
from anyskill.learning.precision import multiplying
from anyskill.learning.state import read_state, write_state
from anyskill.vision_language.bodyclip.model import BodyClip
from anyskill.vision_language.model import ImageTextModel, VisionLanguageError
from anyskill.vision_language.picture_features import Views, facing_forward, fingerprint, same_model

FORMAT = 1
_PER_BODY = 3 + 6  # position and tan-norm


@dataclass(frozen=True)
class ProjectionConfig:
    """What is needed to build the network again, and what it stands for."""

    model: str
    """Name of the image-text model it imitates."""
    dimension: int
    """Length of that model's features."""
    frames: int = 1
    """Pictures that model looks at together."""
    character: str = "humanoid"
    """Whose body it sees."""
    objects: int = 0
    """How many objects it sees beside the body."""
    views: Views = field(default_factory=Views)
    """The pictures whose feature it predicts."""
    units: tuple[int, ...] = (512, 512)
    """Hidden layers."""
    bf16: bool = True
    """Multiply in bfloat16, where the device does so natively."""


class StateProjection(Protocol):
    """Anything that says features of pictures from states alone."""

    @property
    def frames(self) -> int:
        """States of a history that one feature is of."""

    @property
    def views(self) -> Views:
        """The pictures whose feature it predicts."""

    def __call__(self, states: BodyState, objects: BodyState | None = None) -> Float[Tensor, "n d"]:
        """Unit-length features of ``(n,)`` states, or of ``(n, frames)`` histories, oldest first."""


class Projection(nn.Module):
    """State → unit-length feature, the same wherever the body is and wherever it faces.

    It sees what the pictures show and no more: positions and rotations of all bodies (and objects) relative to the
    root's place on the ground and its heading; of a history, in all its states.

    Args:
        config: Sizes and the model it stands for.
        generator: Where initial weights come from.
    """

    fingerprint: Tensor
    centre: Tensor
    spread: Tensor

    def __init__(self, config: ProjectionConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        generator = generator or torch.Generator().manual_seed(0)  # overwritten by whoever loads weights
        bodies = len(CHARACTERS[config.character].bodies) + config.objects
        size = config.frames * bodies * _PER_BODY
        self.inputs = RunningNormalizer(size)
        self.trunk = MLP(size, config.units, generator, bf16=config.bf16)
        self.head = linear(self.trunk.out_features, config.dimension, generator)
        self.register_buffer("fingerprint", torch.zeros(4, config.dimension))
        # Features of all bodies are alike: the network only has to say by how much one deviates from the mean.
        self.register_buffer("centre", torch.zeros(config.dimension))
        self.register_buffer("spread", torch.ones(()))

    @property
    def frames(self) -> int:
        """See ``StateProjection``."""
        return self.config.frames

    @property
    def views(self) -> Views:
        """See ``StateProjection``."""
        return self.config.views

    @classmethod
    def of(
        cls,
        model: ImageTextModel,
        character: Character,
        generator: torch.Generator,
        *,
        views: Views | None = None,
        objects: int = 0,
        units: tuple[int, ...] = (512, 512),
        bf16: bool = True,
    ) -> Self:
        """An untrained projection of a model's features, on the model's device."""
        config = ProjectionConfig(
            model.name, model.dimension, model.frames, character.name, objects, views or Views(), units, bf16
        )
        projection = cls(config, generator)
        projection.fingerprint.copy_(fingerprint(model))
        return projection.to(model.device)

    def forward(self, states: BodyState, objects: BodyState | None = None) -> Float[Tensor, "n d"]:
        """Predicted features of ``(n,)`` states; of ``(n, frames)`` histories for a model that looks at several.

        Raises:
            VisionLanguageError: Shapes are not these, or there are other objects than it was trained with.
        """
        return nn.functional.normalize(self.predict(self.describe(states, objects)), dim=-1)

    def describe(self, states: BodyState, objects: BodyState | None = None) -> Float[Tensor, "n inputs"]:
        """What the network sees, before it is normalised."""
        states, objects = facing_forward(states, objects, self.config.frames)
        parts = [states] if objects is None else [states, objects]
        seen = torch.cat([torch.cat((part.positions, rotation.tan_norm(part.rotations)), -1) for part in parts], -2)
        described = seen.flatten(1)
        if described.shape[1] != len(self.inputs.mean):
            raise VisionLanguageError(
                f"{seen.shape[-2]} bodies and objects were given, but this projection sees the "
                f"{self.config.character} and {self.config.objects} object(s)."
            )
        return described

    def predict(self, described: Float[Tensor, "n inputs"]) -> Float[Tensor, "n d"]:
        """Features from ``describe``, not of unit length yet."""
        return self.centre + self.spread * self.deviations(described)

    def deviations(self, described: Float[Tensor, "n inputs"]) -> Float[Tensor, "n d"]:
        """By how much features differ from their mean: what the network itself says, of about unit variance."""
        with multiplying(described.device, bf16=self.config.bf16):
            deviations = self.head(self.trunk(self.inputs(described)))
        return deviations.to(described.dtype)

    def deviations_of(self, features: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """The same of true features."""
        return (features - self.centre) / self.spread

    def fit_scales(self, described: Float[Tensor, "n inputs"], features: Float[Tensor, "n d"]) -> None:
        """Take the ranges of inputs and features from first samples, before training."""
        self.inputs.update(described)
        self.centre.copy_(features.mean(0))
        self.spread.copy_((features - self.centre).square().mean().sqrt().clamp_min(1e-6))

    def check(self, model: ImageTextModel) -> None:
        """Make sure that this is a projection of ``model``.

        Raises:
            VisionLanguageError: It is another model's.
        """
        mine, other = (self.config.dimension, self.config.frames), (model.dimension, model.frames)
        if mine != other or not same_model(self.fingerprint.cpu(), fingerprint(model)):
            raise VisionLanguageError(
                f"this projection was trained for {self.config.model}, whose features are not those of {model.name}; "
                f"load that model, or train a projection for this one (anyskill projection train)."
            )

    def save(self, path: Path) -> None:
        """Write one file; weights are stored in half precision."""
        halved = {name: weight.half() for name, weight in self.named_parameters()}
        header = {"format": FORMAT, "config": asdict(self.config)}
        write_state(path, {"header": header, "tensors": self.state_dict() | halved})

    @classmethod
    def load(cls, path: Path, model: ImageTextModel | None = None, device: torch.device | str | None = None) -> Self:
        """Read a file that ``save`` wrote.

        Args:
            path: The file.
            model: If given, it must be the model that the projection was trained for.
            device: Where it computes: by default where the model does, or the CPU.

        Raises:
            VisionLanguageError: The file is missing, damaged or holds something else, or the model is another one.
        """
        try:
            content = read_state(path)
            header, tensors = content["header"], content["tensors"]
            if header["format"] != FORMAT:
                raise VisionLanguageError(f"{path} has format {header['format']}; this version reads {FORMAT}.")
            projection = cls(from_plain(ProjectionConfig, header["config"]))
            projection.load_state_dict(tensors)
        except LearningError as error:
            raise VisionLanguageError(str(error)) from None
        except (KeyError, TypeError, RuntimeError) as error:
            raise VisionLanguageError(f"{path} is no projection ({' '.join(str(error).split())[:200]}).") from None
        if model is not None:
            projection.check(model)
            device = device or model.device
        return projection.to(device or "cpu").eval()


def load_projection(model: ImageTextModel) -> StateProjection:
    """The projection that a model brings along: BodyCLIP's state tower.

    Raises:
        VisionLanguageError: The model brings none.
    """
    if isinstance(model, BodyClip):
        return BodyClipProjection(model)
    raise VisionLanguageError(
        f"{model.name} brings no projection; train one (anyskill projection train --vlm {model.name}), "
        "or score pictures."
    )


class BodyClipProjection:
    """``StateProjection`` by BodyCLIP's state tower, whom the image tower learnt to follow.

    It sees velocities, too, and was trained on sentences: it is the better judge of the two.
    """

    frames = BodyClip.frames
    views = Views()

    def __init__(self, model: BodyClip) -> None:
        self.model = model

    def __call__(self, states: BodyState, objects: BodyState | None = None) -> Float[Tensor, "n d"]:
        """See ``StateProjection``; it knows of no objects."""
        if objects is not None:
            raise VisionLanguageError("BodyCLIP's state tower knows of no objects; train a projection with some.")
        return self.model.encode_states(states, self.views.interval)
