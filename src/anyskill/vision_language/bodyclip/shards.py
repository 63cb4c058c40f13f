"""Pictures and the states they show, made once and kept in files that are mapped into memory.

A *shard* holds some thousand moments of one kind: so many pictures each, at one interval, from one camera. The folder
of a data set has ``train-00000.safetensors`` and so on, and ``test-…`` with motions that the others never show.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int, UInt8
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from anyskill.body.humanoid import HUMANOID
from anyskill.body.state import BodyState
from anyskill.files import write_atomically
from anyskill.learning.config import require
from anyskill.learning.seeding import Streams
from anyskill.motion.library import MotionLibrary
from anyskill.render.camera import Camera
from anyskill.render.raytracer import Raytracer
from anyskill.vision_language.bodyclip.moments import INTERVALS, Moments, MomentSampler
from anyskill.vision_language.bodyclip.towers import MAX_FRAMES, SIZE
from anyskill.vision_language.model import VisionLanguageError

Split = Literal["train", "test"]

_BLOCKS = (3, 4, 3, 3)  # numbers a body of position, rotation, linear and angular velocity
_HELD_OUT = (
    *("humanoid3d_run", "humanoid3d_spinkick", "humanoid3d_sideflip", "humanoid3d_getup_faceup", "humanoid3d_dance_a"),
    *("mass_kick", "mass_walk", "mass_cart", "train_jumping_5", "train_soccer_3", "train_walking_3", "martial_07"),
)


@dataclass(frozen=True)
class ShardsConfig:
    """What a data set is made of."""

    shards: int = 300
    """Files to train with."""
    test_shards: int = 3
    """Files of held-out motions."""
    moments: int = 1024
    """In a file."""
    frames: tuple[int, ...] = (1, 4, 1)
    """Pictures of a moment, file by file in turn."""
    held_out: tuple[str, ...] = field(default=_HELD_OUT)
    """Names of the motions that only the test sees; their mirror images belong to them."""
    worlds: int = 64
    """Pictures drawn at once."""
    seed: int = 0
    """Of everything random."""

    def __post_init__(self) -> None:
        require(self, "shards", self.shards > 0, "at least 1")
        require(self, "frames", min(self.frames) > 0 and max(self.frames) <= MAX_FRAMES, f"from 1 to {MAX_FRAMES}")
        require(self, "worlds", self.moments % self.worlds == 0, "a divisor of the moments in a file")


@dataclass(frozen=True)
class Shard:
    """One file; tensors are read from disk where they are used."""

    pictures: UInt8[Tensor, "n frame 112 112 3"]
    numbers: Float[Tensor, "n frame body 13"]
    clip: Int[Tensor, "n"]
    mirrored: Bool[Tensor, "n"]
    interval: float
    names: tuple[str, ...]  # of every motion

    @classmethod
    def read(cls, path: Path) -> "Shard":
        """Map a file.

        Raises:
            VisionLanguageError: If it is damaged or none of ours.
        """
        try:
            with safe_open(path, framework="pt") as file:
                record = json.loads((file.metadata() or {})["shard"])
                pictures, numbers, clip, mirrored = map(file.get_tensor, ("pictures", "numbers", "clip", "mirrored"))
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise VisionLanguageError(f"{path} is no shard of pictures ({error}); delete it to make it anew.") from None
        return cls(pictures, numbers, clip, mirrored, record["interval"], tuple(record["names"]))

    def states(self, rows: Int[Tensor, "n"]) -> BodyState:
        """Histories ``(n, frame)``."""
        position, turn, linear, angular = self.numbers[rows].float().split(_BLOCKS, -1)
        return BodyState(position, turn, linear, angular, torch.zeros_like(position))


class Shards:
    """The files of one split.

    Raises:
        VisionLanguageError: If there is none.
    """

    def __init__(self, folder: Path, split: Split) -> None:
        self.paths = sorted(folder.glob(f"{split}-*.safetensors"))
        if not self.paths:
            raise VisionLanguageError(f"{folder} has no pictures ({split}-….safetensors); make them first.")

    @cached_property
    def _open(self) -> list[Shard]:
        return [Shard.read(path) for path in self.paths]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> Shard:
        return self._open[number]

    def __iter__(self) -> Iterator[Shard]:
        return iter(self._open)


def shard_path(folder: Path, split: Split, number: int) -> Path:
    """Where a file of a data set is."""
    return folder / f"{split}-{number:05d}.safetensors"


def missing_shards(config: ShardsConfig, folder: Path) -> list[tuple[Split, int]]:
    """Files that are still to be made, those of the test first."""
    wanted: list[tuple[Split, int]] = [("test", number) for number in range(config.test_shards)]
    wanted += [("train", number) for number in range(config.shards)]
    return [(split, number) for split, number in wanted if not shard_path(folder, split, number).exists()]


def original_name(name: str) -> str:
    """Of the motion that a mirrored one, or what a controller makes of it, comes from."""
    return name.partition("-played")[0].removesuffix("-mirrored")


def moments_of(split: Split, library: MotionLibrary, config: ShardsConfig) -> MomentSampler:
    """What draws the moments of one split: those of the test are of the motions held out, the others of all others."""
    held = torch.tensor([original_name(name) in config.held_out for name in library.names])
    return MomentSampler(library, held if split == "test" else ~held)


class ShardMaker:
    """Draws moments, makes pictures of them and writes both.

    Args:
        config: What is wanted.
        library: Where motions come from.
        folder: Where files go; those that are there stay as they are.
        device: Where pictures are drawn.
    """

    def __init__(
        self, config: ShardsConfig, library: MotionLibrary, folder: Path, device: torch.device | str = "cpu"
    ) -> None:
        self.config, self.folder, self.device = config, folder, torch.device(device)
        self._library = library

    def make(self, split: Split, number: int) -> None:
        """Make one file; what is in it depends on the settings, the split and the number alone."""
        config, streams = self.config, Streams(self.config.seed)
        generator = streams(f"{split} {number}")
        # Intervals take turns, and all kinds of pictures occur with all of them.
        frames = config.frames[number % len(config.frames)]
        interval = INTERVALS[number // len(config.frames) % len(INTERVALS)]
        moments = moments_of(split, self._library, config).sample(config.moments, frames, interval, generator)
        camera = Camera() if split == "test" else _random_camera(generator)
        pictures = draw(moments.states, camera, config.worlds, self.device)
        self._write(shard_path(self.folder, split, number), moments, pictures, interval)

    def _write(self, path: Path, moments: Moments, pictures: Tensor, interval: float) -> None:
        state = moments.states
        numbers = (state.positions, state.rotations, state.linear_velocities, state.angular_velocities)
        tensors = {
            "pictures": pictures,
            "numbers": torch.cat(numbers, -1).half(),
            "clip": moments.clip,
            "mirrored": moments.mirrored,
        }
        record = json.dumps({"interval": interval, "names": self._library.names})
        with write_atomically(path) as file:
            file.write(save(tensors, {"shard": record}))


def draw(
    states: BodyState, camera: Camera, worlds: int, device: torch.device | str = "cpu"
) -> UInt8[Tensor, "n frame 112 112 3"]:
    """Pictures of histories ``(n, frame)`` as BodyCLIP sees them; ``worlds`` at once."""
    raytracer = Raytracer(worlds, HUMANOID, size=(SIZE, SIZE), cameras=(camera,), device=device, shadows=False)
    count, frames = states.batch_shape
    pictures = torch.empty(count * frames, SIZE, SIZE, 3, dtype=torch.uint8)
    rows = torch.arange(count * frames).div(frames, rounding_mode="floor")
    for start in range(0, len(pictures), worlds):
        # The last pictures fill up with repetitions: the renderer draws a fixed number.
        chosen = torch.arange(start, start + worlds).clamp_max(len(pictures) - 1)
        chunk = states[rows[chosen], chosen % frames].to(torch.float32).to(device)
        stop = min(start + worlds, len(pictures))
        pictures[start:stop] = raytracer.render(chunk)[: stop - start, 0].cpu()
    return pictures.unflatten(0, (count, frames))


def _random_camera(generator: torch.Generator) -> Camera:
    """Half of the time the usual one, else one somewhere near."""
    usual, near, high = torch.rand(3, generator=generator).tolist()
    return Camera() if usual < 0.5 else Camera(distance=2.6 + 1.0 * near, height=0.6 + 1.0 * high)
