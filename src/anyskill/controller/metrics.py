"""Is it learning? Measures of a controller, each a number with a plain meaning."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill import rotation
from anyskill.body.observation import policy_observation
from anyskill.body.state import BodyState
from anyskill.controller.controller import Controller
from anyskill.controller.falling import FallRule, fall_bank
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import Engine

RATE = 30  # control steps a second
KEPT = 0.12  # m, mean distance of bodies up to which a clip counts as recalled


def relative_positions(state: BodyState) -> Float[Tensor, "*batch body 3"]:
    """Positions of all bodies (m) relative to the root, free of heading."""
    root = state.positions[..., :1, :]
    inverse = rotation.conjugate(rotation.heading_rotation(state.rotations[..., :1, :]))
    return rotation.rotate(inverse, state.positions - root)


def aligned_error(
    one: Float[Tensor, "batch time body 3"],
    other: Float[Tensor, "batch time body 3"],
    lengths: Int[Tensor, "batch"],
    slack: int = 15,
) -> Float[Tensor, "batch"]:
    """Mean distance of bodies (m) along the best monotonic alignment in time (dynamic time warping).

    Args:
        one: Positions over time.
        other: Positions over the same time.
        lengths: Frames that count, of each pair.
        slack: Frames may be matched so far apart.
    """
    batch, time = one.shape[:2]
    total = one.new_full((time + 1, time + 1, batch), torch.inf)
    steps = torch.zeros_like(total)
    total[0, 0] = 0.0
    for i in range(1, time + 1):
        low, high = max(1, i - slack), min(time, i + slack)
        cost = (one[:, i - 1, None] - other[:, low - 1 : high]).norm(dim=-1).mean(-1)
        for j in range(low, high + 1):
            before = torch.stack((total[i - 1, j - 1], total[i - 1, j], total[i, j - 1]))
            best, choice = before.min(0)
            count = torch.stack((steps[i - 1, j - 1], steps[i - 1, j], steps[i, j - 1]))
            total[i, j] = cost[:, j - low] + best
            steps[i, j] = count.gather(0, choice[None])[0] + 1.0
    every = torch.arange(batch, device=one.device)
    return total[lengths, lengths, every] / steps[lengths, lengths, every]


@dataclass(frozen=True)
class Recall:
    """How well each clip is done when its latents are asked for."""

    error: Float[Tensor, "clip"]
    """Mean distance of bodies after alignment (m), relative to the root."""

    @property
    def kept(self) -> Bool[Tensor, "clip"]:
        """Clips that are done: at most ``KEPT`` off."""
        return self.error <= KEPT


def recall(controller: Controller, engine: Engine, library: MotionLibrary, seconds: float = 5.0) -> Recall:
    """Start on each clip's first frame under z = E(its next two seconds), and let the controller run.

    The latent is encoded anew every second from the clip's own clock; the body is never corrected. Up to ``seconds``,
    or the clip's length, are compared. ``engine`` needs one world for each clip.
    """
    n = len(library)
    clip = torch.arange(n, device=engine.device)
    start = torch.zeros_like(clip)
    engine.reset(clip, *library.generalized(clip, start))
    length = (library.lengths - 1).clamp_max(round(seconds * RATE))
    done, wanted = [], []
    for step in range(int(length.max())):
        if step % RATE == 0:
            ahead = step + controller.config.frames - 1
            end = torch.where(library.loops, ahead, (library.lengths - 1).clamp_max(ahead))
            z = controller.encode(library.windows(clip, end, controller.config.frames))
        engine.step(controller.act(engine.state(), z))
        done.append(relative_positions(engine.state()))
        wanted.append(relative_positions(library.states(clip, start + step + 1)))
    return Recall(aligned_error(torch.stack(done, 1), torch.stack(wanted, 1), length))


def calm(
    controller: Controller,
    engine: Engine,
    generator: torch.Generator,
    seconds: float = 10.0,
    hold: tuple[int, int] = (10, 150),
    rule: FallRule | None = None,
) -> float:
    """Share of worlds that do not fall while latents of the bank are switched at random.

    All worlds start in the initial pose; each holds a latent for a random number of control steps out of ``hold``.
    """
    rule = rule or FallRule()
    skeleton, n, device = engine.skeleton, engine.num_worlds, engine.device
    local = torch.zeros(n, skeleton.num_bodies, 4, device=device)
    local[..., 0] = 1.0
    position = torch.tensor([0.0, 0.0, skeleton.character.rest_height], device=device).expand(n, 3)
    still = torch.zeros(n, 6 + skeleton.num_dof, device=device)
    engine.reset(torch.arange(n, device=device), skeleton.qpos(position, local), still)
    left = torch.zeros(n, dtype=torch.long, device=device)
    z = torch.zeros(n, controller.config.latent, device=device)
    fallen = torch.zeros(n, dtype=torch.bool, device=device)
    for _ in range(round(seconds * RATE)):
        draws = torch.randint(len(controller.latents), (n,), generator=generator, device=device)
        steps = torch.randint(*hold, (n,), generator=generator, device=device)
        z = torch.where((left <= 0)[:, None], controller.latents[draws], z)
        left = torch.where(left <= 0, steps, left) - 1
        lost = engine.step(controller.act(engine.state(), z))
        fallen |= lost | rule(engine.state(), skeleton)
    return float((~fallen).float().mean())


@dataclass(frozen=True)
class Coverage:
    """How much of the clips random latents bring out."""

    share: float
    """Share of clips that some transition came nearest to."""
    entropy: float
    """Entropy of how often each clip was nearest, as a share of the largest possible."""


def coverage(
    controller: Controller, engine: Engine, library: MotionLibrary, generator: torch.Generator, seconds: float = 5.0
) -> Coverage:
    """ASE's test: every transition of random motion is given to the clip with the most similar transition.

    Latents of the bank, one for each world and all the time; transitions are pairs of consecutive observations, in
    units of the clips' standard deviation.
    """
    n, device = engine.num_worlds, engine.device
    clip, frame = library.places()
    before = policy_observation(library.states(clip, frame))
    after = policy_observation(library.states(clip, frame + 1))
    mean, scale = before.mean(0), before.std(0).clamp_min(1e-3)
    reference = torch.cat(((before - mean) / scale, (after - mean) / scale), 1)
    start, time = library.sample(n, generator)
    engine.reset(torch.arange(n, device=device), *library.generalized(start, time))
    z = controller.latents[torch.randint(len(controller.latents), (n,), generator=generator, device=device)]
    counts = torch.zeros(len(library), device=device)
    last = policy_observation(engine.state())
    for step in range(round(seconds * RATE)):
        engine.step(controller.act(engine.state(), z))
        now = policy_observation(engine.state())
        if step % 5 == 4:  # neighbours in time say the same
            seen = torch.cat(((last - mean) / scale, (now - mean) / scale), 1)
            nearest = torch.cdist(seen, reference).argmin(1)
            counts += torch.bincount(clip[nearest], minlength=len(library))
        last = now
    chance = counts / counts.sum()
    entropy = -(chance * chance.clamp_min(1e-12).log()).sum() / torch.tensor(float(len(library))).log()
    return Coverage(float((counts > 0).float().mean()), float(entropy))


def recovery(
    controller: Controller,
    engine: Engine,
    generator: torch.Generator,
    seconds: float = 5.0,
    height: float = 0.7,
) -> float:
    """Share of worlds that stand again (pelvis above ``height`` m for half a second) within some seconds of lying."""
    n, device = engine.num_worlds, engine.device
    engine.reset(torch.arange(n, device=device), *fall_bank(engine, generator))
    z = controller.latents[torch.randint(len(controller.latents), (n,), generator=generator, device=device)]
    up = torch.zeros(n, dtype=torch.long, device=device)
    stood = torch.zeros(n, dtype=torch.bool, device=device)
    for _ in range(round(seconds * RATE)):
        engine.step(controller.act(engine.state(), z))
        up = torch.where(engine.state().positions[:, 0, 2] > height, up + 1, 0)
        stood |= up >= RATE // 2
    return float(stood.float().mean())


def retrieval(controller: Controller, library: MotionLibrary, generator: torch.Generator, samples: int = 500) -> float:
    """Share of random windows whose nearest neighbour in latent space, half a second or more away, is of their clip."""
    clip, end = library.sample_windows(samples, generator, controller.config.frames)
    other, far = library.sample_windows(4 * samples, generator, controller.config.frames)
    latents, others = (
        controller.encode(library.windows(c, e, controller.config.frames)) for c, e in ((clip, end), (other, far))
    )
    similarity = latents @ others.T
    near = (clip[:, None] == other) & ((end[:, None] - far).abs() < RATE // 2)
    return float((other[similarity.masked_fill(near, -torch.inf).argmax(1)] == clip).float().mean())
