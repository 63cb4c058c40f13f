"""``MotionLibrary``: weighted clips, precomputed frame by frame, sampled by gathers.

A place in the library is a pair of integers, (clip, frame), frames counted at the library's rate. Replay buffers and
rollouts store places; windows and states are looked up when they are needed.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill import rotation
from anyskill.body.observation import adversarial_frame, frame_size, policy_observation
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.motion.clip import Clip
from anyskill.motion.dataset import load_dataset
from anyskill.motion.errors import MotionError
from anyskill.motion.frames import frame_states
from anyskill.motion.layout import Layout

SHOWING = (0.25, 0.8)  # of a clip that is no loop: where it is at what it is called, not on the way there or back
_CHUNK = 2048  # frames computed together while the library is built: they fit a processor's cache
Place = tuple[Int[Tensor, "n"], Int[Tensor, "n"]]


class MotionLibrary:
    """All frames of some clips on one device, as float32 tables.

    Args:
        clips: At least one, all of one character, names all different.
        weights: Chance of each clip, up to a common factor; None makes all clips equal. Clips of weight zero are kept,
            but never sampled.
        device: Where the tables live and all results are. A generator that is passed must live there too.
        fps: Frames a second of places and windows.

    Raises:
        MotionError: No clips, clips of different characters or of one name, weights that are no weights.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        weights: Sequence[float] | Tensor | None = None,
        device: torch.device | str = "cpu",
        fps: float = 30.0,
    ) -> None:
        self.names = tuple(clip.name for clip in clips)
        self.labels = tuple(clip.labels for clip in clips)
        self.fps = fps
        self.device = torch.device(device)
        chances = _checked(clips, weights)
        self.skeleton = skeleton_of(clips[0].character)
        layout = Layout.of(clips, fps)
        seconds = (layout.lengths - (~layout.loops).long()) / fps  # of a loop, its period
        self.durations = tuple(seconds.tolist())
        self._state_table = torch.empty(layout.num_frames, 13 * self.skeleton.num_bodies, device=device)
        # Newest first, as windows are: a window is then read in the order of memory, which is a third faster.
        self._frame_table = torch.empty(layout.num_frames, frame_size(self.skeleton), device=device)
        for first, last in _chunks(layout):
            self._fill(int(layout.starts[first]), clips[first:last])
        self._layout = layout.to(self.device)
        self._loops = bool(layout.loops.any())
        self._cumulative = (chances.cumsum(0) / chances.sum()).to(self.device)
        # Rounding must not leave a last sliver to the clips of weight zero at the end.
        self._cumulative[int(chances.nonzero().max()) :] = 1.0

    @classmethod
    def load(cls, path: Path, device: torch.device | str = "cpu", fps: float = 30.0) -> "MotionLibrary":
        """The library of a data set's YAML file; raises MotionError where the file is wrong."""
        dataset = load_dataset(path)
        return cls(dataset.clips, dataset.chances(), device, fps)

    def _fill(self, row: int, clips: Sequence[Clip]) -> None:
        layout, state = frame_states(clips, self.fps)
        end = row + layout.num_frames
        blocks = (state.positions, state.rotations, state.linear_velocities, state.angular_velocities)
        self._state_table[row:end] = torch.cat([block.flatten(1) for block in blocks], 1).to(self._state_table)
        frames = adversarial_frame(state, self.skeleton).flip(0)
        total = len(self._frame_table)
        self._frame_table[total - end : total - row] = frames.to(self._frame_table)

    def __len__(self) -> int:
        """Number of clips."""
        return len(self.names)

    @property
    def lengths(self) -> Int[Tensor, "clip"]:
        """Frames of each clip; of a loop, its period."""
        return self._layout.lengths

    @property
    def loops(self) -> Bool[Tensor, "clip"]:
        """Which clips repeat for ever."""
        return self._layout.loops

    @property
    def nbytes(self) -> int:
        """Bytes of the tables."""
        return self._state_table.nbytes + self._frame_table.nbytes

    # What is at a place.

    def places(self) -> Place:
        """Every frame of every clip, in the order of ``rows``."""
        return self._layout.frames()

    def rows(self, clip: Int[Tensor, "*batch"], frame: Int[Tensor, "*batch"]) -> Int[Tensor, "*batch"]:
        """Row of a place in a table over ``places``, also of a frame outside of its clip: held, or a cycle on."""
        return self._layout.rows(clip, frame)

    def distinct_windows(
        self, clip: Int[Tensor, "n"], end: Int[Tensor, "n"], length: int
    ) -> tuple[Int[Tensor, "m"], Int[Tensor, "n"]]:
        """Where the windows are, among some, that differ from each other, and which of those each of them is.

        Windows are told by their first frames, as they may end beyond their clips.
        """
        rows, number = self.rows(clip, end - length + 1).unique(return_inverse=True)
        return torch.empty_like(rows).scatter_(0, number, torch.arange(len(clip), device=clip.device)), number

    def window_start(self, clip: Int[Tensor, "n"], end: Int[Tensor, "n"], length: int) -> Int[Tensor, "n"]:
        """First frame of a window of ``length`` frames, without the padding before a plain clip's own first one."""
        first = end - length + 1
        return torch.where(self.loops[clip], first, first.clamp_min(0))

    def windows(
        self,
        clip: Int[Tensor, "n"],
        frame: Int[Tensor, "n"],
        length: int,
        out: Float[Tensor, "n length frame_size"] | None = None,
        stride: int = 1,
    ) -> Float[Tensor, "n length frame_size"]:
        """Adversarial frames that end at a place, newest first: 2 for AMP, 10 for a discriminator, 60 for an encoder.

        With a ``stride`` every so many frames are taken, ``length`` of them. What lies before a clip's start is its
        first frame, and what lies beyond its end is its last one; a loop has neither. ``out``, contiguous, takes the
        result: fresh memory of this size costs more than the gather itself.
        """
        past = stride * torch.arange(length, device=self.device)
        rows = self._layout.rows(clip[:, None], frame[:, None] - past)
        rows = len(self._frame_table) - 1 - rows
        if out is None:
            out = self._frame_table.new_empty(len(clip), length, self._frame_table.shape[1])
        torch.index_select(self._frame_table, 0, rows.flatten(), out=out.view(-1, out.shape[-1]))
        return out

    def states(self, clip: Int[Tensor, "*batch"], frame: Int[Tensor, "*batch"]) -> BodyState:
        """States at places; ``frame + 1``, ``frame + 2`` … are the reference of a controller that tracks the clip.

        After its last frame a plain clip stays in it, velocities included; ``ended`` tells. A loop goes on: each cycle
        starts where, and facing as, the one before arrived.
        """
        rows = self._layout.rows(clip, frame)
        values = self._state_table.index_select(0, rows.flatten()).unflatten(0, rows.shape)
        bodies = self.skeleton.num_bodies
        blocks = values.split([3 * bodies, 4 * bodies, 3 * bodies, 3 * bodies], -1)
        positions, rotations, linear, angular = (block.unflatten(-1, (bodies, -1)) for block in blocks)
        if self._loops:
            turn, shift = (part[..., None, :].float() for part in self._layout.displacement(clip, frame))
            positions = rotation.rotate(turn, positions) + shift
            rotations = rotation.multiply(turn, rotations)
            linear, angular = rotation.rotate(turn, linear), rotation.rotate(turn, angular)
        return BodyState(positions, rotations, linear, angular, torch.zeros_like(positions))

    def generalized(
        self, clip: Int[Tensor, "*batch"], frame: Int[Tensor, "*batch"]
    ) -> tuple[Float[Tensor, "*batch nq"], Float[Tensor, "*batch nv"]]:
        """MuJoCo's qpos and qvel at places: what a world is reset to (reference state initialisation)."""
        state = self.states(clip, frame)
        return state.qpos(self.skeleton), state.qvel(self.skeleton)

    def ended(self, clip: Int[Tensor, "*batch"], frame: Int[Tensor, "*batch"]) -> Tensor:
        """Whether a plain clip has no frame after this one; never true of a loop."""
        return ~self._layout.loops[clip] & (frame >= self.lengths[clip] - 1)

    def shows(self, clip: Int[Tensor, "*batch"], frame: Int[Tensor, "*batch"]) -> Bool[Tensor, "*batch"]:
        """Whether a clip shows at a frame what it is called: always in a loop, else in the middle."""
        phase = frame / self.lengths[clip]
        return self.loops[clip] | ((phase > SHOWING[0]) & (phase < SHOWING[1]))

    @cached_property
    def observations(self) -> Float[Tensor, "place observation"]:
        """What a policy would observe at all ``places`` if the body were as the clip has it."""
        return policy_observation(self.states(*self.places()))

    # Places by chance. A generator makes them reproducible; it lives on the library's device.

    def sample(
        self, n: int, generator: torch.Generator, margin: int = 0, factors: Float[Tensor, "clip"] | None = None
    ) -> Place:
        """Clips by weight, frames uniformly in time, at least ``margin`` frames before a plain clip's last one.

        A clip that is too short for the margin gives its first frame. ``factors`` multiply the weights, for a task that
        wants more of some clips.
        """
        chance = torch.rand(n, dtype=torch.float64, device=self.device, generator=generator)
        cumulative = self._cumulative
        if factors is not None:
            cumulative = (cumulative.diff(prepend=cumulative.new_zeros(1)) * factors).cumsum(0)
            cumulative = cumulative / cumulative[-1]
        clip = torch.searchsorted(cumulative, chance, right=True).clamp_max(len(self) - 1)
        length = self.lengths[clip]
        choices = torch.where(self._layout.loops[clip], length, (length - margin).clamp_min(1))
        return clip, self._below(choices, generator)

    def sample_windows(self, n: int, generator: torch.Generator, length: int) -> Place:
        """Ends of windows of ``length`` frames that lie within their clips.

        Of a clip that is shorter than the window the end is its last frame, and ``windows`` pads.
        """
        clip, frame = self.sample(n, generator, length - 1)
        return clip, self._end_of(clip, frame + length - 1)

    def sample_pair(
        self, n: int, generator: torch.Generator, outer: int = 60, inner: int = 10
    ) -> tuple[Int[Tensor, "n"], Int[Tensor, "n"], Int[Tensor, "n"]]:
        """A long window and a short one inside of it, for a discriminator that knows the latent (CALM).

        Returns:
            Clip, end of the window of ``outer`` frames, end of the window of ``inner`` frames. The inner one ends at
            any of the frames that keep it within the outer one (without the padding) with equal chance.
        """
        clip, end = self.sample_windows(n, generator, outer)
        real = torch.where(self._layout.loops[clip], outer, self.lengths[clip].clamp_max(outer))
        back = self._below((real - inner + 1).clamp_min(1), generator)
        return clip, end, self._end_of(clip, end - back)

    def sample_overlapping(
        self, n: int, generator: torch.Generator, length: int = 60, seconds: float = 0.5
    ) -> tuple[Int[Tensor, "n"], Int[Tensor, "n"], Int[Tensor, "n"]]:
        """Two windows of one motion that an encoder should take to neighbouring latents (CALM's alignment).

        Returns:
            Clip, end of the first window, end of the second: up to ``seconds`` later, at most the clip's last frame.
        """
        clip, first = self.sample_windows(n, generator, length)
        later = self._below(torch.full_like(clip, round(seconds * self.fps) + 1), generator)
        return clip, first, self._end_of(clip, first + later)

    def _below(self, limit: Int[Tensor, "n"], generator: torch.Generator) -> Int[Tensor, "n"]:
        """Whole numbers in [0, limit), all alike."""
        chance = torch.rand(limit.shape, dtype=torch.float64, device=self.device, generator=generator)
        return (chance * limit).long()

    def _end_of(self, clip: Int[Tensor, "n"], frame: Int[Tensor, "n"]) -> Int[Tensor, "n"]:
        """The frame within its clip that a frame beyond it stands for."""
        return self._layout.rows(clip, frame) - self._layout.starts[clip]


def _checked(clips: Sequence[Clip], weights: Sequence[float] | Tensor | None) -> Float[Tensor, "clip"]:
    """The weights as float64, if the clips can make a library."""
    if not clips:
        raise MotionError("a motion library needs at least one clip.")
    names = Counter(clip.name for clip in clips)
    name, count = names.most_common(1)[0]
    if count > 1:
        raise MotionError(f"{count} clips of a motion library are named {name}; give each a name of its own.")
    others = {clip.character.name for clip in clips} - {clips[0].character.name}
    if others:
        raise MotionError(
            f"a motion library is for one character, but has {clips[0].character.name} and {min(others)}."
        )
    chances = (
        torch.ones(len(clips)).double() if weights is None else torch.as_tensor(weights, dtype=torch.float64).cpu()
    )
    if chances.shape != (len(clips),):
        raise MotionError(f"a motion library of {len(clips)} clips needs as many weights, not {tuple(chances.shape)}.")
    bad = [name for name, w in zip(names, chances.tolist(), strict=True) if not (0 <= w < float("inf"))]
    if bad:
        raise MotionError(f"the weight of clip {bad[0]} is not a number from zero up.")
    if not chances.any():
        raise MotionError("all weights of a motion library are zero; nothing could be sampled.")
    return chances


def _chunks(layout: Layout) -> list[tuple[int, int]]:
    """Ranges of clips with about ``_CHUNK`` frames each."""
    group = (layout.starts // _CHUNK).tolist()
    cuts = [i for i in range(len(group)) if i == 0 or group[i] != group[i - 1]]
    return list(zip(cuts, [*cuts[1:], len(group)], strict=True))
