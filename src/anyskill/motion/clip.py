"""``Clip``: a motion of our own character, ready to be imitated."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID, Character
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.motion.errors import MotionError


@dataclass(frozen=True)
class Clip:
    """Poses at a fixed rate, as local rotations; hinges turn about +y only. Float64 on the CPU."""

    name: str
    fps: float
    root_positions: Float[Tensor, "frame 3"]  # m
    rotations: Float[Tensor, "frame body 4"]  # local, w x y z; the root's is relative to the world
    labels: tuple[str, ...] = ()  # what a person would call it
    loop: bool = False  # whether the last frame is the first again, displaced and turned by one round
    character: Character = field(default=HUMANOID, repr=False)

    def __post_init__(self) -> None:
        frames, bodies = self.rotations.shape[:2]
        if frames < 2:
            raise MotionError(f"clip {self.name} has {frames} frame(s); at least two are needed.")
        if bodies != len(self.character.bodies):
            raise MotionError(
                f"clip {self.name} has {bodies} bodies, but the {self.character.name} has {len(self.character.bodies)}."
            )
        if not (0 < self.fps < 1000):
            raise MotionError(f"clip {self.name} has {self.fps} frames a second; it must be between 0 and 1000.")
        if not (torch.isfinite(self.rotations).all() and torch.isfinite(self.root_positions).all()):
            raise MotionError(f"clip {self.name} contains values that are not finite.")

    @property
    def num_frames(self) -> int:
        """Number of frames, at least two."""
        return len(self.root_positions)

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last."""
        return (self.num_frames - 1) / self.fps

    def states(self) -> BodyState:
        """All frames as body states, velocities by finite differences (AMP's motion library).

        Linear velocities are central differences of forward-kinematics positions, angular velocities the rotation
        vector from one frame to the next, both smoothed in time by a Gaussian of two frames. A loop's neighbours
        before the start and after the end are its own last and first frames, moved to fit.
        """
        skeleton = skeleton_of(self.character)
        margin = min(_RADIUS + 1, self.num_frames - 1) if self.loop else 0
        positions, rotations = skeleton.forward(*self._unrolled(margin))
        linear = torch.gradient(positions, dim=0)[0] * self.fps
        turn = rotation.multiply(rotations[1:], rotation.conjugate(rotations[:-1]))
        forward = rotation.to_rotation_vector(turn) * self.fps
        # The turn between two frames is the velocity half-way: a frame gets the mean of its two neighbours.
        angular = torch.cat((forward[:1], 0.5 * (forward[1:] + forward[:-1]), forward[-1:]))
        states = BodyState(positions, rotations, _smooth(linear), _smooth(angular), torch.zeros_like(positions))
        return states[margin : margin + self.num_frames]

    def _unrolled(self, margin: int) -> tuple[Float[Tensor, "frame 3"], Float[Tensor, "frame body 4"]]:
        """Root positions and local rotations with ``margin`` frames of the rounds before and after."""
        if margin == 0:
            return self.root_positions, self.rotations
        root = self.rotations[:, 0]
        turn = rotation.heading_rotation(root[[0, -1]])
        onward = rotation.multiply(turn[1], rotation.conjugate(turn[0]))
        vertical = torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64)  # a round may turn and travel, not climb
        start, end = self.root_positions[[0, -1]] * vertical
        back = rotation.conjugate(onward)
        before, after = slice(-1 - margin, -1), slice(1, 1 + margin)
        positions = torch.cat(
            (
                start + rotation.rotate(back, self.root_positions[before] - end),
                self.root_positions,
                end + rotation.rotate(onward, self.root_positions[after] - start),
            )
        )
        rotations = torch.cat((self.rotations[before], self.rotations, self.rotations[after]))
        rotations[:margin, 0] = rotation.multiply(back.expand(margin, 4), root[before])
        rotations[-margin:, 0] = rotation.multiply(onward.expand(margin, 4), root[after])
        return positions, rotations

    def resampled(self, fps: float) -> "Clip":
        """The same motion at another rate: linear for the root's position, spherical for rotations."""
        count = max(2, int(self.duration * fps + 1e-6) + 1)
        time = (torch.arange(count, dtype=torch.float64) * (self.fps / fps)).clamp_max(self.num_frames - 1)
        low = time.floor().long().clamp_max(self.num_frames - 2)
        blend = time - low
        position = torch.lerp(self.root_positions[low], self.root_positions[low + 1], blend[:, None])
        rotations = rotation.slerp(self.rotations[low], self.rotations[low + 1], blend[:, None])
        return Clip(self.name, fps, position, rotations, self.labels, self.loop, self.character)

    def mirrored(self) -> "Clip":
        """The motion seen in a mirror: left and right exchanged, y negated; labels likewise."""
        skeleton = skeleton_of(self.character)
        swap = [skeleton.index(_other_side(name)) for name in skeleton.names]
        flip_position = torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64)
        flip_rotation = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)  # reflection in the xz plane
        return Clip(
            f"{self.name}-mirrored",
            self.fps,
            self.root_positions * flip_position,
            self.rotations[:, swap] * flip_rotation,
            tuple(" ".join(_other_side(word) for word in label.split(" ")) for label in self.labels),
            self.loop,
            self.character,
        )


def _other_side(text: str) -> str:
    """``right_hand`` → ``left_hand`` and back; other words stay."""
    if "right" in text:
        return text.replace("right", "left")
    return text.replace("left", "right")


_SIGMA = 2.0  # frames
_RADIUS = int(4 * _SIGMA)


def _smooth(values: Float[Tensor, "frame body 3"]) -> Float[Tensor, "frame body 3"]:
    """Gaussian filter in time, ends held."""
    offsets = torch.arange(-_RADIUS, _RADIUS + 1, dtype=values.dtype)
    kernel = torch.exp(-0.5 * (offsets / _SIGMA) ** 2)
    flat = values.flatten(1).T[:, None]
    padded = torch.nn.functional.pad(flat, (_RADIUS, _RADIUS), mode="replicate")
    return torch.nn.functional.conv1d(padded, (kernel / kernel.sum())[None, None])[:, 0].T.reshape(values.shape)
