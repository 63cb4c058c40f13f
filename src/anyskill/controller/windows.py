"""What a latent stands for: the window of a clip behind it, and how that goes on.

A latent may be held for ever, but its window ends after two seconds. One that has been as it is at its end before, as a
walk or a wave has, goes on from there, round and round; any other stays in its last frame.
"""

from collections.abc import Iterable
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill.body.observation import policy_blocks
from anyskill.controller.similarity import furthest
from anyskill.motion.library import MotionLibrary

RUN_UP, STRIDE = 120, 4  # frames before a window that may lead to it, and from one to the next that is looked at
TAIL = 15  # frames that a plain clip has left at least as a window that moves along with it begins
BACK = 15  # frames that a window goes back at least: half a second
NEAR, STEADY = 0.07, 0.7  # m, m/s: no body's place and velocity may differ by more between two frames that are alike


def time_to_hold(steps: tuple[int, ...], n: int, generator: torch.Generator) -> Int[Tensor, "n"]:
    """For how many control steps each of some windows or latents is held: random numbers from a range."""
    low, high = steps
    return torch.randint(low, high, (n,), generator=generator, device=generator.device)


def difference(error: Float[Tensor, "n observation"], blocks: dict[str, slice]) -> Float[Tensor, "n"]:
    """How far two bodies are from being alike: the worst body's distance or velocity, 1 where that is just too much.

    Of the difference of two observations. A mean over bodies would not notice a hand that waves.
    """
    return torch.maximum(furthest(error[:, blocks["positions"]]) / NEAR, furthest(error[:, blocks["linear"]]) / STEADY)


class Windows:
    """Windows of ``length`` frames, each known by its clip and last frame; those of a looping clip never end.

    Frames are counted on beyond the last one, as long as a latent is held. The frames before the first one are the way
    into a window, for bodies that are not in it yet.
    """

    def __init__(self, library: MotionLibrary, length: int) -> None:
        self.library, self.length = library, length
        self._blocks = policy_blocks(library.skeleton)

    def first(self, clip: Int[Tensor, "n"], last: Int[Tensor, "n"]) -> Int[Tensor, "n"]:
        """First frames of windows; a clip that is shorter than a window has one window, itself."""
        return self.library.window_start(clip, last, self.length)

    def last(self, clip: Int[Tensor, "n"], first: Int[Tensor, "n"]) -> Int[Tensor, "n"]:
        """Last frames of windows that begin somewhere: maybe beyond the clip's, in which it stays.

        The whole of a clip which is shorter than a window ends with the clip; such a window is padded before its start.
        """
        lengths = self.library.lengths[clip]
        whole = ~self.library.loops[clip] & (lengths < self.length) & (first <= 0)
        return torch.where(whole, lengths - 1, first + self.length - 1)

    def onward(self, clip: Int[Tensor, "n"], frame: Int[Tensor, "n"]) -> Int[Tensor, "n"]:
        """First frames of windows that move along with clips which have come to a frame: it, while there is more."""
        latest = (self.library.lengths[clip] - TAIL).clamp_min(0)
        return torch.where(self.library.loops[clip], frame, frame.minimum(latest))

    def stop(self, clip: Int[Tensor, "n"], last: Int[Tensor, "n"]) -> Int[Tensor, "n"]:
        """The last frames of windows that their clips have."""
        return torch.where(self.library.loops[clip], last, last.minimum(self.library.lengths[clip] - 1))

    def again(self, clip: Int[Tensor, "n"], last: Int[Tensor, "n"]) -> Int[Tensor, "n"]:
        """The frames that come after the last ones of windows: earlier ones, or the same for those that stay."""
        return self._again[self.library.rows(clip, last)]

    def rows(
        self, clip: Int[Tensor, "n"], last: Int[Tensor, "n"], frame: Int[Tensor, "n"]
    ) -> tuple[Int[Tensor, "n"], Bool[Tensor, "n"]]:
        """Where in the library's tables a body is that has come to a frame of its window, and whether it rests there.

        Before a plain clip there is its first frame.
        """
        frame, rests = self.shown(clip, last, frame)
        return self.library.rows(clip, frame), rests

    def shown(
        self, clip: Int[Tensor, "n"], last: Int[Tensor, "n"], frame: Int[Tensor, "n"]
    ) -> tuple[Int[Tensor, "n"], Bool[Tensor, "n"]]:
        """The clip's own frame that is shown in a frame counted on beyond the last one, and whether a body rests there.

        A loop's is within the loop.
        """
        loops, again, stop = self.library.loops[clip], self.again(clip, last), self.stop(clip, last)
        beyond = ~loops & (frame > stop)
        round_trip = again + (frame - stop - 1) % (stop - again + 1)
        within = torch.where(beyond, round_trip, frame)
        return torch.where(loops, frame % self.library.lengths[clip], within), beyond & (again == stop)

    def observations(
        self, clip: Int[Tensor, "n"], last: Int[Tensor, "n"], frame: Int[Tensor, "n"]
    ) -> Float[Tensor, "n observation"]:
        """What such a body observes; in a window's last frame it is at rest."""
        rows, rests = self.rows(clip, last, frame)
        seen = self.library.observations[rows]
        seen[:, self._blocks["linear"].start :] *= ~rests[:, None]
        return seen

    def entry(
        self, clip: Int[Tensor, "n"], last: Int[Tensor, "n"], observation: Float[Tensor, "n observation"]
    ) -> Int[Tensor, "n"]:
        """The frame, of a window or of the four seconds that lead to it, that is most like each body.

        Who stands and is to kneel as the end of a clip shows it then kneels down as the clip does, and need not fall.
        """
        earliest = torch.where(self.library.loops[clip], last - self.length - RUN_UP, 0)
        backs = range(self.length + RUN_UP - 1, -1, -STRIDE)
        return self.most_alike(clip, last, observation, (((last - back).maximum(earliest), 0.0) for back in backs))

    def most_alike(
        self,
        clip: Int[Tensor, "n"],
        last: Int[Tensor, "n"],
        observation: Float[Tensor, "n observation"],
        candidates: Iterable[tuple[Int[Tensor, "n"], Float[Tensor, "n"] | float]],
    ) -> Int[Tensor, "n"]:
        """The frame most like each body, of some that may be so much less alike each; the first of equals."""
        best, chosen = torch.full_like(observation[:, 0], torch.inf), last
        for frame, favour in candidates:
            differs = difference(observation - self.observations(clip, last, frame), self._blocks) - favour
            chosen = torch.where(differs < best, frame, chosen)
            best = torch.minimum(best, differs)
        return chosen

    @cached_property
    def _again(self) -> Int[Tensor, "place"]:
        """For each place as the end of a window: the frame that comes next, or itself to stay."""
        library = self.library
        clip, last = library.places()
        first, again = self.first(clip, last), last.clone()
        best = torch.ones(clip.shape, device=clip.device)
        for back in range(BACK, self.length):
            frame = (last - back).maximum(first)
            error = library.observations - library.observations[library.rows(clip, frame)]
            differs = difference(error, self._blocks)
            better = (last - back >= first) & (differs < best)
            again = torch.where(better, frame + 1, again)
            best = torch.where(better, differs, best)
        return again
