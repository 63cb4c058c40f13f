"""Recall: asked for a clip by its own latents, does the controller do that clip?"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.controller.controller import Controller
from anyskill.controller.windows import Windows
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import CONTROL_RATE, Engine

SOMEWHERE = 0.25  # m/s, from the first place to the last; a clip that is faster goes somewhere
KEPT = 0.12  # m, mean distance of bodies up to which a clip counts as recalled
RESTLESS = 0.5  # m/s relative to the root, mean over a clip; where no point is faster, a clip is a pose held
_HEAD = skeleton_of(HUMANOID).index("head")  # the same of all characters
_FACE = (0.2, 0.0, 0.1)  # m, in the frame of the head


def relative_positions(state: BodyState) -> Float[Tensor, "*batch body-1 3"]:
    """Positions (m) of all bodies but the root relative to it, free of heading."""
    root = state.positions[..., :1, :]
    inverse = rotation.conjugate(rotation.heading_rotation(state.rotations[..., :1, :]))
    return rotation.rotate(inverse, state.positions[..., 1:, :] - root)


def counting(values: Tensor, lengths: Int[Tensor, "clip"]) -> Bool[Tensor, "time clip"]:
    """Which frames count, of values ``(time, clip, …)``: the first so many of each clip."""
    return torch.arange(len(values), device=values.device)[:, None] < lengths


def visible_points(state: BodyState) -> Float[Tensor, "*batch point 3"]:
    """Points that show movement: ``relative_positions``, and the face. In a nod, a head turns about its own place."""
    head = state.positions[..., [_HEAD], :]
    face = head + rotation.rotate(state.rotations[..., [_HEAD], :], head.new_tensor(_FACE).expand_as(head))
    return relative_positions(replace(state, positions=torch.cat((state.positions, face), -2)))


def speeds(states: BodyState, lengths: Int[Tensor, "clip"]) -> Float[Tensor, "clip point"]:
    """Mean speed (m/s) of each visible point relative to the root, over the frames that count of ``(time, clip)``."""
    steps = visible_points(states).diff(dim=0).norm(dim=-1)
    ways = torch.where(counting(steps, lengths - 1)[..., None], steps, 0.0).sum(0)
    return CONTROL_RATE * ways / (lengths - 1).clamp_min(1)[:, None]


def aligned_errors(
    one: Float[Tensor, "batch time body 3"],
    other: Float[Tensor, "batch time body 3"],
    lengths: Int[Tensor, "batch"],
    slack: int = 15,
) -> Float[Tensor, "batch body"]:
    """Mean distance of each body (m) along the best monotonic alignment in time of all (dynamic time warping).

    Args:
        one: Positions over time.
        other: Positions over the same time.
        lengths: Frames that count, of each pair.
        slack: Frames may be matched so far apart.
    """
    batch, time, bodies = one.shape[:3]
    result = one.new_zeros(batch, bodies)
    # Of the row above and of this one: the smallest sum over a path to each cell, its share of each body, its length.
    above = _Row.empty(one, time)
    above.total[0] = 0.0
    for i in range(1, time + 1):
        row = _Row.empty(one, time)
        low, high = max(1, i - slack), min(time, i + slack)
        distances = (one[:, i - 1, None] - other[:, low - 1 : high]).norm(dim=-1)
        for j in range(low, high + 1):
            best, choice = torch.stack((above.total[j - 1], above.total[j], row.total[j - 1])).min(0)
            parts = torch.stack((above.parts[j - 1], above.parts[j], row.parts[j - 1]))
            steps = torch.stack((above.steps[j - 1], above.steps[j], row.steps[j - 1]))
            row.total[j] = best + distances[:, j - low].mean(-1)
            row.parts[j] = parts.take_along_dim(choice[None, :, None], 0)[0] + distances[:, j - low]
            row.steps[j] = steps.take_along_dim(choice[None], 0)[0] + 1.0
        above = row
        ended = lengths == i
        result[ended] = (row.parts[i] / row.steps[i, :, None])[ended]
    return result


@dataclass
class _Row:
    total: Float[Tensor, "time+1 batch"]
    parts: Float[Tensor, "time+1 batch body"]
    steps: Float[Tensor, "time+1 batch"]

    @classmethod
    def empty(cls, like: Float[Tensor, "batch time body 3"], time: int) -> "_Row":
        batch, _, bodies, _ = like.shape
        zero = like.new_zeros(time + 1, batch)
        return cls(like.new_full((time + 1, batch), torch.inf), like.new_zeros(time + 1, batch, bodies), zero)


@dataclass(frozen=True)
class Recall:
    """How well each clip is done when its latents are asked for."""

    done: BodyState
    """What the body did, (time, clip)."""
    wanted: BodyState
    """What the clip does at the same time."""
    lengths: Int[Tensor, "clip"]
    """Frames that count, of each clip."""
    body_errors: Float[Tensor, "clip body-1"]
    """Mean distance (m) of each body but the root after alignment, relative to the root."""

    @property
    def error(self) -> Float[Tensor, "clip"]:
        """Mean over bodies (m). It is a loose measure of an arm: twelve other bodies are averaged in."""
        return self.body_errors.mean(-1)

    @property
    def worst(self) -> Float[Tensor, "clip"]:
        """Of the body that is furthest off (m), most often the hand of the worst limb."""
        return self.body_errors.amax(-1)

    @property
    def kept(self) -> Bool[Tensor, "clip"]:
        """Clips that are done: at most ``KEPT`` off on average."""
        return self.error <= KEPT

    @property
    def travel(self) -> float | None:
        """Distance covered by clips that go somewhere, as a share of what they should, mean; None if none does.

        Errors relative to the root do not tell who walks from who marks time.
        """
        done, wanted = (self._distance(states) for states in (self.done, self.wanted))
        goes = wanted > SOMEWHERE * (self.lengths / CONTROL_RATE)
        return float((done / wanted)[goes].clamp_max(1.0).mean()) if goes.any() else None

    def _distance(self, states: BodyState) -> Float[Tensor, "clip"]:
        """From the first place (m) of the root to its last one."""
        clip = torch.arange(len(self.lengths), device=self.lengths.device)
        root = states.positions[:, :, 0, :2]
        return (root[self.lengths - 1, clip] - root[0, clip]).norm(dim=-1)

    @property
    def liveliness(self) -> Float[Tensor, "clip"]:
        """Mean speed of the point that moves most in a clip, relative to the root, as a share of what it is there.

        A punch that stays in guard is off by little, on average.
        """
        done, wanted = (speeds(states, self.lengths) for states in (self.done, self.wanted))
        busiest = wanted.argmax(1, keepdim=True)
        return (done / wanted.clamp_min(1e-6)).gather(1, busiest)[:, 0]

    @property
    def lively(self) -> float | None:
        """Mean liveliness of clips that are no pose held, up to 1 each; None if all are."""
        moves = speeds(self.wanted, self.lengths).amax(1) > RESTLESS
        return float(self.liveliness[moves].clamp_max(1.0).mean()) if moves.any() else None

    @property
    def share(self) -> float:
        """Of clips that are done."""
        return float(self.kept.float().mean())


def recall(
    controller: Controller, engine: Engine, library: MotionLibrary, seconds: float = 5.0, every: int = CONTROL_RATE
) -> Recall:
    """Start on each clip's first frame under z = E(its next two seconds), and let the controller run.

    The latent is encoded anew after ``every`` so many control steps, of the window that begins where the clip's own
    clock is, as a window does that moves along (``Windows.onward``); the body is never corrected. Up to ``seconds``, or
    the clip's length, are compared. ``engine`` needs one world for each clip.
    """
    clip = torch.arange(len(library), device=engine.device)
    start, windows = torch.zeros_like(clip), Windows(library, controller.config.frames)
    engine.reset(clip, *library.generalized(clip, start))
    lengths = (library.lengths - 1).clamp_max(round(seconds * CONTROL_RATE))
    done, wanted = [], []
    for step in range(int(lengths.max())):
        if step % every == 0:
            end = windows.last(clip, windows.onward(clip, torch.full_like(clip, step)))
            z = controller.encode(library.windows(clip, end, controller.config.frames))
        engine.step(controller.act(engine.state(), z))
        done.append(engine.state())
        wanted.append(library.states(clip, start + step + 1))
    return _compared(BodyState.stack(done), BodyState.stack(wanted), lengths)


def _compared(done: BodyState, wanted: BodyState, lengths: Int[Tensor, "clip"]) -> Recall:
    one, other = (relative_positions(states).transpose(0, 1) for states in (done, wanted))
    return Recall(done, wanted, lengths, aligned_errors(one, other, lengths))
