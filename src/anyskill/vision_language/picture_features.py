"""What an image-text model says about a body: pictures from several views, encoded and averaged into one feature.

Histories: where a model looks at one picture, states have batch shape ``(n,)``; where it looks at several, ``(n,
frames)``, oldest first, ``Views.interval`` seconds apart. Objects are states of the same batch shape.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID, Character
from anyskill.body.state import BodyState
from anyskill.learning.progress import PhaseTimer
from anyskill.render.camera import Camera, around
from anyskill.render.raytracer import Raytracer
from anyskill.sim.scene import SceneObject
from anyskill.vision_language.model import ImageTextModel, VisionLanguageError
from anyskill.vision_language.similarity import average_pool


@dataclass(frozen=True)
class Views:
    """Which pictures of a body a feature stands for."""

    count: int = 4
    """Cameras spread evenly around the body, the first in front of it."""
    size: int = 112
    """Pixels of a side."""
    distance: float = 3.0
    """Horizontal distance of the cameras (m)."""
    height: float = 1.0
    """Of the cameras above the ground (m)."""
    interval: float = 0.2
    """Seconds between the pictures of a model that looks at several."""

    @property
    def cameras(self) -> tuple[Camera, ...]:
        """For bodies that face +x, as ``facing_forward`` leaves them."""
        return around(self.count, Camera(self.distance, self.height))


class PictureFeatures:
    """Renders and encodes: the truth that a projection learns and is audited against.

    The pictures of a history are taken by cameras that stand still relative to the heading in its last state, so that
    they, and the feature, depend neither on where the body is nor on where it faces.

    Args:
        model: Encodes the pictures.
        views: From where, and how large.
        character: Who is drawn.
        objects: What else is in the scene.
        batch: States drawn at once.
        timer: Books the phases ``render`` and ``encode``.

    Raises:
        VisionLanguageError: An object has surroundings: they stay where they are in the world, so that pictures of
            them are no function of what the body sees of its objects.
    """

    def __init__(
        self,
        model: ImageTextModel,
        views: Views | None = None,
        character: Character = HUMANOID,
        objects: Sequence[SceneObject] = (),
        *,
        batch: int = 32,
        timer: PhaseTimer | None = None,
    ) -> None:
        for item in objects:
            if item.surroundings:
                raise VisionLanguageError(f"{item.name} has surroundings, which no projection sees; use pictures.")
        self.model, self.views = model, views or Views()
        self.character, self.objects = character, tuple(objects)
        self.timer = timer
        size = (self.views.size, self.views.size)
        # Shadows would cost a third more, and the built-in model has never seen any.
        self._raytracer = Raytracer(
            batch, character, size=size, cameras=self.views.cameras, device=model.device, objects=objects, shadows=False
        )

    def __call__(self, states: BodyState, objects: BodyState | None = None) -> Float[Tensor, "n d"]:
        """Unit-length features: the mean over views of the model's features, made unit length again."""
        states, objects = facing_forward(states, objects, self.model.frames)
        batch, features = self._raytracer.num_worlds, [torch.zeros(0, self.model.dimension, device=self.model.device)]
        for start in range(0, len(states.positions), batch):
            rows = torch.arange(start, start + batch).clamp_max(len(states.positions) - 1)  # the last batch is filled
            with self.timer("render") if self.timer else nullcontext():
                pictures = self._pictures(states[rows], None if objects is None else objects[rows])
            with self.timer("encode") if self.timer else nullcontext():
                encoded = self.model.encode_images(pictures.flatten(0, 1)).unflatten(0, (batch, -1))
                features.append(average_pool(encoded))
        return torch.cat(features)[: len(states.positions)]

    def _pictures(self, states: BodyState, objects: BodyState | None) -> UInt8[Tensor, "n view *frames h w 3"]:
        device, frames = self._raytracer.device, []
        for frame in range(self.model.frames):
            placed = None
            if objects is not None:
                placed = (objects.positions[:, frame].to(device), objects.rotations[:, frame].to(device))
            frames.append(self._raytracer.render(states[:, frame].to(device), objects=placed))
        return torch.stack(frames, 2) if len(frames) > 1 else frames[0]


def facing_forward(
    states: BodyState, objects: BodyState | None = None, frames: int = 1
) -> tuple[BodyState, BodyState | None]:
    """Histories, moved and turned as a whole so that the last root stands above the origin and faces +x.

    Returns:
        States and objects of batch shape ``(n, frames)``, also if ``frames`` is 1, and at rest: pictures show poses.

    Raises:
        VisionLanguageError: The batch shape is not that of ``frames`` pictures.
    """
    expected = ("n",) if frames == 1 else ("n", str(frames))
    for bodies in (states, objects) if objects is not None else (states,):
        shape = bodies.batch_shape
        if len(shape) != len(expected) or (frames > 1 and shape[1] != frames):
            raise VisionLanguageError(
                f"states of batch shape {tuple(shape)} do not fit a model of {frames} picture(s); "
                f"give ({', '.join(expected)})."
            )
    if frames == 1:
        states, objects = states[:, None], None if objects is None else objects[:, None]
    root = states.positions[:, -1, 0] * states.positions.new_tensor([1.0, 1.0, 0.0])
    turn = rotation.conjugate(rotation.heading_rotation(states.rotations[:, -1, 0]))
    root, turn = root[:, None, None], turn[:, None, None]

    def moved(bodies: BodyState) -> BodyState:
        positions = rotation.rotate(turn, bodies.positions - root)
        still = torch.zeros_like(positions)
        return BodyState(positions, rotation.multiply(turn, bodies.rotations), still, still, still)

    return moved(states), None if objects is None else moved(objects)


def fingerprint(model: ImageTextModel) -> Float[Tensor, "probe d"]:
    """Features of a few fixed pictures: what tells one model from another, whatever it is called.

    Unlike a hash it can be compared across devices and precisions: see ``same_model``.
    """
    draws = torch.Generator().manual_seed(0)
    shape = (4, 3, 4, 4) if model.frames == 1 else (4 * model.frames, 3, 4, 4)
    blots = torch.nn.functional.interpolate(torch.rand(shape, generator=draws), size=64, mode="bilinear")
    pictures = (255 * blots).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
    if model.frames > 1:
        pictures = pictures.unflatten(0, (-1, model.frames))
    return model.encode_images(pictures.to(model.device)).float().cpu()


def same_model(a: Float[Tensor, "probe d"], b: Float[Tensor, "probe d"]) -> bool:
    """Whether two fingerprints are of one model: equal but for rounding."""
    return a.shape == b.shape and bool(((a.float() * b.float()).sum(-1) > 0.99).all())
