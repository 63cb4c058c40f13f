"""The bank of latents and the paths: which windows of which clips they are made of, and what a body does in them."""

from collections import Counter
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill.controller.controller import Controller
from anyskill.controller.falling import STANDING, FallRule
from anyskill.controller.windows import Windows
from anyskill.motion.library import MotionLibrary

PER_CLIP = 4  # windows of each clip in the bank, spread evenly over it
PACE = 5  # frames from one window of a path to the next: a decision of a high-level policy


def window_ends(
    library: MotionLibrary, clip: Int[Tensor, "n"], share: Float[Tensor, "n"], frames: int
) -> Int[Tensor, "n"]:
    """Ends of windows that lie some share, 0 to 1, of the way through their clips."""
    last = library.lengths[clip] - 1
    first = torch.minimum(torch.full_like(last, frames - 1), last)
    return (first + share * (last - first)).round().long()


def bank_places(
    library: MotionLibrary, frames: int, per_clip: int = PER_CLIP
) -> tuple[Int[Tensor, "n"], Int[Tensor, "n"]]:
    """Clips and ends of the windows whose latents make the bank."""
    clip = torch.arange(len(library), device=library.device).repeat_interleave(per_clip)
    share = torch.arange(per_clip, device=library.device).repeat(len(library)) / max(per_clip - 1, 1)
    return clip, window_ends(library, clip, share, frames)


def path_places(library: MotionLibrary, frames: int) -> tuple[Int[Tensor, "n"], Int[Tensor, "n"]]:
    """Clips and ends of the windows whose latents make the paths; those of a loop begin in it and go on beyond."""
    windows = Windows(library, frames)
    clips = torch.arange(len(library), device=library.device)
    latest = windows.onward(clips, library.lengths - 1)
    counts = latest // PACE + 1
    clip = torch.arange(len(library), device=library.device).repeat_interleave(counts)
    number = torch.arange(len(clip), device=library.device) - (counts.cumsum(0) - counts)[clip]
    return clip, windows.last(clip, PACE * number)


@dataclass(frozen=True)
class BankPostures:
    """What a body does in the two seconds behind each latent of a bank.

    The motions tell; a latent of a clip that is not among them is taken for one that stands, which excuses nothing.
    """

    ground: Bool[Tensor, "bank"]
    """Goes to the ground: in some frame the clip itself would count as fallen."""
    upright: Bool[Tensor, "bank"]
    """Stands in every frame, on its feet alone."""

    @classmethod
    def of(cls, controller: Controller, library: MotionLibrary, rule: FallRule | None = None) -> "BankPostures":
        """Look up the windows a bank was made of, and see."""
        rule, skeleton = rule or FallRule(), library.skeleton
        index = {name: clip for clip, name in enumerate(library.names)}
        total, seen = Counter(controller.names), Counter[str]()
        known, clips, shares = [], [], []
        for name in controller.names:
            known.append(name in index)
            clips.append(index.get(name, 0))
            shares.append(seen[name] / max(total[name] - 1, 1))
            seen[name] += 1
        clip = torch.tensor(clips, device=library.device)
        frames = controller.config.frames
        end = window_ends(library, clip, torch.tensor(shares, device=library.device), frames)
        first = library.window_start(clip, end, frames)
        ground, upright = torch.zeros_like(clip, dtype=torch.bool), torch.ones_like(clip, dtype=torch.bool)
        for past in range(frames):
            states = library.states(clip, torch.maximum(end - past, first))
            ground |= rule.low(states, skeleton)
            upright &= states.positions[:, 0, 2] > STANDING
        unknown = ~torch.tensor(known, device=library.device)
        return cls(ground & ~unknown, upright & ~ground | unknown)
