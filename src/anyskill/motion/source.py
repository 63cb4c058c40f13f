"""``SourceMotion``: a motion on its file's own skeleton. Readers make it, retargeting takes it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation


@dataclass(frozen=True)
class SourceMotion:
    """Joint rotations over time of an arbitrary tree of joints. Metres, +z up, float64.

    The *rest pose* is the one with ``rest`` as local rotations; readers set it to a pose in which the limbs' directions
    are known to be natural (T-pose, A-pose or arms hanging). Retargeting compares directions of limbs, so which of
    these it is does not matter.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]  # -1 for the root; parents come before children
    offsets: Float[Tensor, "joint 3"]  # m, in the parent's frame
    rest: Float[Tensor, "joint 4"]  # local rotations (w x y z) of the rest pose
    rotations: Float[Tensor, "frame joint 4"]  # local; the root's is relative to the world
    root_positions: Float[Tensor, "frame 3"]  # m
    fps: float

    @property
    def num_frames(self) -> int:
        """Number of frames, at least one."""
        return len(self.rotations)

    def forward(
        self, root_position: Float[Tensor, "*batch 3"], local: Float[Tensor, "*batch joint 4"]
    ) -> tuple[Float[Tensor, "*batch joint 3"], Float[Tensor, "*batch joint 4"]]:
        """World positions (m) and rotations of all joints for given local rotations."""
        positions: list[Tensor] = []
        rotations: list[Tensor] = []
        for joint, parent in enumerate(self.parents):
            if parent < 0:
                positions.append(root_position)
                rotations.append(local[..., joint, :])
            else:
                positions.append(positions[parent] + rotation.rotate(rotations[parent], self.offsets[joint]))
                rotations.append(rotation.multiply(rotations[parent], local[..., joint, :]))
        return torch.stack(positions, -2), torch.stack(rotations, -2)

    def world(self) -> tuple[Float[Tensor, "frame joint 3"], Float[Tensor, "frame joint 4"]]:
        """World positions (m) and rotations of all joints in all frames."""
        return self.forward(self.root_positions, self.rotations)

    def rest_world(self) -> tuple[Float[Tensor, "joint 3"], Float[Tensor, "joint 4"]]:
        """The rest pose with the root at the origin."""
        return self.forward(torch.zeros(3, dtype=self.offsets.dtype), self.rest)
