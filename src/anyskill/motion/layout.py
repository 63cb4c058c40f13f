"""Where the frames of many clips lie in one table, and how a clip goes on beyond its ends."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill import rotation

if TYPE_CHECKING:
    from anyskill.motion.clip import Clip


@dataclass(frozen=True)
class Layout:
    """Clips at one rate, one after the other in a table of frames.

    Outside of its frames, a clip holds its first or last one. A looped clip repeats instead: its last frame is its
    first one seen a cycle later, so the table leaves it out, and every cycle goes on from where the one before arrived.
    From one cycle to the next a point p of the ground plane moves to Rz(turn)·p + travel.
    """

    starts: Int[Tensor, "clip"]  # row of a clip's first frame
    lengths: Int[Tensor, "clip"]  # frames in the table; a looped clip's period
    loops: Bool[Tensor, "clip"]
    turns: Float[Tensor, "clip"]  # rad, in [-π, π)
    travels: Float[Tensor, "clip 2"]  # m

    @classmethod
    def of(cls, clips: Sequence["Clip"], fps: float) -> Self:
        """The layout of clips resampled at ``fps``. A loop is stretched to a whole number of frames."""
        loops = torch.tensor([clip.loop for clip in clips])
        lengths = torch.tensor(
            [max(2, round(clip.duration * fps) if clip.loop else int(clip.duration * fps + 1e-6) + 1) for clip in clips]
        )
        first, last = (torch.stack([clip.root_positions[end, :2] for clip in clips]).double() for end in (0, -1))
        begin, end = (
            rotation.heading(torch.stack([clip.rotations[end, 0] for clip in clips]).double()) for end in (0, -1)
        )
        turns = torch.where(loops, torch.remainder(end - begin + torch.pi, 2 * torch.pi) - torch.pi, 0.0)
        travels = torch.where(loops[:, None], last - _turned(first, turns), 0.0)
        return cls(lengths.cumsum(0) - lengths, lengths, loops, turns, travels)

    @property
    def num_frames(self) -> int:
        """Rows of the table."""
        return int(self.lengths.sum())

    def to(self, device: torch.device) -> Self:
        """The same on another device."""
        return type(self)(*(getattr(self, field.name).to(device) for field in fields(self)))

    def frames(self, margin: int = 0) -> tuple[Int[Tensor, "row"], Int[Tensor, "row"]]:
        """Clip and frame of every row in order; ``margin`` adds so many frames before and after every clip."""
        counts = self.lengths + 2 * margin
        clip = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
        begin = counts.cumsum(0) - counts
        return clip, torch.arange(len(clip), device=counts.device) - begin[clip] - margin

    def rows(self, clip: Int[Tensor, "*batch"], frame: Int[Tensor, "*batch"]) -> Int[Tensor, "*batch"]:
        """Row of any frame, also one outside of the clip."""
        length = self.lengths[clip]
        held = torch.minimum(frame.clamp_min(0), length - 1)
        return self.starts[clip] + torch.where(self.loops[clip], frame.remainder(length), held)

    def displacement(
        self, clip: Int[Tensor, "*batch"], frame: Int[Tensor, "*batch"]
    ) -> tuple[Float[Tensor, "*batch 4"], Float[Tensor, "*batch 3"]]:
        """Rotation and translation (m) from a frame as the table has it to where the repeating clip has it."""
        cycle = torch.where(self.loops[clip], frame.div(self.lengths[clip], rounding_mode="floor"), 0)
        half = 0.5 * self.turns[clip]
        # Σ Rz(i·turn)·travel over i < cycle, a geometric series: travel turned half-way, scaled by a ratio of sines.
        straight = half.sin().abs() < 1e-9
        scale = torch.where(straight, cycle, (cycle * half).sin() / torch.where(straight, 1.0, half.sin()))
        travel = scale[..., None] * _turned(self.travels[clip], (cycle - 1) * half)
        zero = torch.zeros_like(half)
        turn = torch.stack(((cycle * half).cos(), zero, zero, (cycle * half).sin()), -1)
        return turn, torch.nn.functional.pad(travel, (0, 1))


def _turned(points: Float[Tensor, "*batch 2"], angle: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch 2"]:
    """Points of the ground plane turned about the origin by an angle (rad)."""
    cos, sin = angle.cos(), angle.sin()
    x, y = points.unbind(-1)
    return torch.stack((cos * x - sin * y, sin * x + cos * y), -1)
