"""``BodyState``: where all bodies are and how they move. The one currency between simulation, motion, and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.skeleton import Skeleton


@dataclass(frozen=True, slots=True)
class BodyState:
    """Poses and velocities of all bodies in the world frame; a simulated world and a frame of a clip look the same.

    Any leading shape is allowed (worlds, frames, worlds × frames); indexing acts on it.
    """

    positions: Float[Tensor, "*batch body 3"]  # m, of body frames, not of centres of mass
    rotations: Float[Tensor, "*batch body 4"]  # w x y z
    linear_velocities: Float[Tensor, "*batch body 3"]  # m/s, of body frames
    angular_velocities: Float[Tensor, "*batch body 3"]  # rad/s
    contact_forces: Float[Tensor, "*batch body 3"]  # N, net force of contacts on each body; zero in a clip

    @property
    def batch_shape(self) -> torch.Size:
        """The leading dimensions."""
        return self.positions.shape[:-2]

    def __getitem__(self, index: Any) -> Self:
        return type(self)(*(getattr(self, field.name)[index] for field in fields(self)))

    def to(self, *args: torch.device | torch.dtype | str) -> Self:
        """Move or convert, as ``Tensor.to``."""
        return type(self)(*(getattr(self, field.name).to(*args) for field in fields(self)))

    @classmethod
    def cat(cls, states: Sequence["BodyState"]) -> "BodyState":
        """Join along the first dimension."""
        return cls(*(torch.cat([getattr(state, field.name) for state in states]) for field in fields(cls)))

    @classmethod
    def stack(cls, states: Sequence["BodyState"]) -> "BodyState":
        """Stack along a new first dimension."""
        return cls(*(torch.stack([getattr(state, field.name) for state in states]) for field in fields(cls)))

    @classmethod
    def at_rest(
        cls, skeleton: Skeleton, root_position: Float[Tensor, "*batch 3"], local: Float[Tensor, "*batch body 4"]
    ) -> "BodyState":
        """A pose with no velocity and no contact."""
        positions, rotations = skeleton.forward(root_position, local)
        zero = torch.zeros_like(positions)
        return cls(positions, rotations, zero, zero, zero)

    def qpos(self, skeleton: Skeleton) -> Float[Tensor, "*batch nq"]:
        """MuJoCo generalised positions."""
        return skeleton.qpos(self.positions[..., 0, :], skeleton.local_rotations(self.rotations))

    def qvel(self, skeleton: Skeleton) -> Float[Tensor, "*batch nv"]:
        """MuJoCo generalised velocities: the root's angular velocity is in its own frame, as MuJoCo wants it."""
        root_spin = rotation.rotate_inverse(self.rotations[..., 0, :], self.angular_velocities[..., 0, :])
        joints = skeleton.dof_velocities(self.rotations, self.angular_velocities)
        return torch.cat((self.linear_velocities[..., 0, :], root_spin, joints), -1)
