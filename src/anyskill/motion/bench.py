"""Benchmark of the motion library: how time and memory grow with the number of clips."""

from dataclasses import replace
from functools import lru_cache, partial

import torch

from anyskill import rotation
from anyskill.bench import Case
from anyskill.body.humanoid import HUMANOID
from anyskill.body.observation import adversarial_frame, frame_size
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.clip import Clip
from anyskill.motion.library import MotionLibrary

_SIZES = (10, 100, 1_000, 10_000)  # clips of five seconds
_DISTINCT = 100  # clips made; larger libraries repeat them under other names
_PLAIN = 100  # the most clips that are also built one by one: that grows with the clips, and is not to be waited for
_WINDOWS, _LENGTH = 4_096, 60
_SKELETON = skeleton_of(HUMANOID)


def cases(quick: bool = False) -> list[Case]:
    """By number of clips: time of the build, memory, time of sampling 4 096 windows of 60 frames.

    A build is compared with the plain way, clip by clip; the windows with a copy of as many bytes, the least that any
    gather has to do.
    """
    distinct = [synthetic_clip(seed) for seed in range(_DISTINCT)]
    generator = torch.Generator().manual_seed(0)
    windows, others = torch.ones(2, _WINDOWS, _LENGTH, frame_size(_SKELETON))

    @lru_cache(maxsize=1)  # one library at a time: the largest takes two gigabytes
    def library(size: int) -> MotionLibrary:
        return MotionLibrary([replace(distinct[i % _DISTINCT], name=f"clip-{i}") for i in range(size)])

    def build(size: int) -> float:
        library.cache_clear()
        library(size)
        return 1

    def build_plainly(size: int) -> float:
        for i in range(size):
            adversarial_frame(distinct[i % _DISTINCT].resampled(30).states(), _SKELETON)
        return 1

    def sample(size: int) -> float:
        place = library(size).sample_windows(_WINDOWS, generator, _LENGTH)
        library(size).windows(*place, _LENGTH, out=windows)
        return 1

    def megabytes(size: int) -> float:
        return library(size).nbytes / 1e6

    def copy() -> float:
        windows.copy_(others)
        return 1

    result = []
    for size in _SIZES[:2] if quick else _SIZES:
        plain = partial(build_plainly, size) if size <= _PLAIN else None
        result += [
            Case(f"{size} clips: build", "s", partial(build, size), plain),
            Case(f"{size} clips: tables", "MB", partial(megabytes, size)),
            Case(f"{size} clips: {_WINDOWS} windows of {_LENGTH} frames", "ms", partial(sample, size), copy),
        ]
    return result


def synthetic_clip(seed: int, seconds: float = 5.0, fps: float = 60.0) -> Clip:
    """A smooth motion without sense: every degree of freedom a sum of three sines, the root on a curved path."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, dtype=torch.float64, generator=generator)

    time = torch.arange(int(seconds * fps) + 1, dtype=torch.float64) / fps
    count = _SKELETON.num_dof
    phases = 2 * torch.pi * (time[:, None, None] * (0.2 + 1.8 * draw(3, count)) + draw(3, count))
    dofs = (0.3 * draw(3, count) * torch.sin(phases)).sum(1)
    heading = (2 * draw(1) - 1) * time + torch.sin(time)
    root = rotation.from_axis_angle(torch.tensor([0.0, 0.0, 1.0]).double().expand(len(time), 3), heading)
    path = torch.stack((time * draw(1), torch.sin(time), 0.9 + 0.05 * torch.sin(3 * time)), -1)
    return Clip(f"synthetic-{seed}", fps, path, _SKELETON.rotations_from_dofs(root, dofs))
