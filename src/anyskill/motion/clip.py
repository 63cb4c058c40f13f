"""``Clip``: a motion of our own character, ready to be imitated."""

from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID, Character
from anyskill.body.mirror import POLAR, QUATERNION, other_side, swapped_bodies
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.motion.errors import MotionError
from anyskill.motion.frames import frame_states


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
        vector from one frame to the next, both smoothed in time by a Gaussian of two frames. Ends are held, also a
        loop's; ``MotionLibrary`` knows how loops go on.
        """
        return frame_states((replace(self, loop=False),), self.fps)[1]

    def resampled(self, fps: float) -> "Clip":
        """The same motion at another rate: linear for the root's position, spherical for rotations."""
        count = max(2, int(self.duration * fps + 1e-6) + 1)
        time = (torch.arange(count, dtype=torch.float64) * (self.fps / fps)).clamp_max(self.num_frames - 1)
        low = time.floor().long().clamp_max(self.num_frames - 2)
        blend = time - low
        position = torch.lerp(self.root_positions[low], self.root_positions[low + 1], blend[:, None])
        rotations = rotation.slerp(self.rotations[low], self.rotations[low + 1], blend[:, None])
        return Clip(self.name, fps, position, rotations, self.labels, self.loop, self.character)

    def reversed(self) -> "Clip":
        """The motion from its end to its start, under the same name: a walk becomes one that walks backward."""
        return replace(self, root_positions=self.root_positions.flip(0), rotations=self.rotations.flip(0))

    def mirrored(self) -> "Clip":
        """The motion seen in a mirror: left and right exchanged, y negated; labels likewise."""
        skeleton = skeleton_of(self.character)
        return Clip(
            f"{self.name}-mirrored",
            self.fps,
            self.root_positions * POLAR,
            self.rotations[:, swapped_bodies(skeleton)] * QUATERNION,
            tuple(" ".join(other_side(word) for word in label.split(" ")) for label in self.labels),
            self.loop,
            self.character,
        )
