"""Measures of a controller under latents of its bank, each a number with a plain meaning."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill.body.observation import policy_observation
from anyskill.body.skeleton import Skeleton
from anyskill.controller.bank import BankPostures
from anyskill.controller.calm import uniformity_loss
from anyskill.controller.controller import Controller
from anyskill.controller.falling import STANDING, STOOD, FallRule, fall_bank
from anyskill.controller.play import Play
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import CONTROL_RATE, Engine

PATIENCE = 5 * CONTROL_RATE  # control steps to get up in after a latent that lies down


@dataclass(frozen=True)
class Calm:
    """Which worlds fall while latents are switched, over time; both stay true once they are."""

    fallen: Bool[Tensor, "time world"]
    """The body went down, or stayed there, though nothing had asked it to."""
    down: Bool[Tensor, "time world"]
    """The body was on the ground for whatever reason, as when a latent of crawling was held."""

    @property
    def share(self) -> float:
        """Of worlds that never fell."""
        return float((~self.fallen[-1]).float().mean())

    @property
    def on_feet(self) -> float:
        """Share of worlds that were never down: the same without any excuse."""
        return float((~self.down[-1]).float().mean())


def calm(played: Play, skeleton: Skeleton, postures: BankPostures, rule: FallRule | None = None) -> Calm:
    """Tell falls from lying down.

    A bank has latents of kneeling, sitting and crawling, whose own clips touch the ground as a fallen body does.
    A body may be down while such a latent is held, and after it until it has stood for half a second, but for five
    seconds at most. Down at any other time, it has fallen; so has a world whose simulation broke down.
    """
    rule = rule or FallRule()
    n = played.lost.shape[1]
    patience = torch.zeros(n, dtype=torch.long, device=played.lost.device)
    up = torch.zeros_like(patience)
    fallen, down = [], []
    for time, held in enumerate(played.latents):
        state, ground = played.states[time], postures.ground[held]
        up = torch.where((state.positions[:, 0, 2] > STANDING) & ~ground, up + 1, 0)
        patience = torch.where(ground, PATIENCE, patience - 1).where(up < STOOD, 0)
        lies = rule(state, skeleton) | played.lost[time]
        down.append(lies)
        fallen.append(lies & (patience <= 0) | played.lost[time])
    return Calm(*(torch.stack(events).cummax(0).values for events in (fallen, down)))


@dataclass(frozen=True)
class Coverage:
    """How much of the clips random latents bring out."""

    counts: Float[Tensor, "clip"]
    """Transitions that came nearest to each clip."""

    @property
    def share(self) -> float:
        """Of clips that some transition came nearest to."""
        return float((self.counts > 0).float().mean())

    @property
    def entropy(self) -> float:
        """Of how often each clip was nearest, as a share of the largest possible."""
        chance = self.counts / self.counts.sum()
        return float(torch.special.entr(chance).sum() / torch.tensor(float(len(chance))).log())


def coverage(played: Play, library: MotionLibrary, every: int = 10) -> Coverage:
    """ASE's test: transitions of random motion are each given to the clip with the most similar transition.

    Transitions are pairs of consecutive observations, in units of the clips' standard deviation; of each world one in
    ``every`` is taken, since neighbours in time say the same. The motion began in the initial pose, in no clip.
    """
    clip, frame = library.places()
    before = policy_observation(library.states(clip, frame))
    after = policy_observation(library.states(clip, frame + 1))
    mean, scale = before.mean(0), before.std(0).clamp_min(1e-3)
    reference = torch.cat(((before - mean) / scale, (after - mean) / scale), 1)
    counts = torch.zeros(len(library), device=library.device)
    for time in range(every, len(played.latents), every):
        pair = [(policy_observation(played.states[t]) - mean) / scale for t in (time - 1, time)]
        nearest = torch.cdist(torch.cat(pair, 1), reference).argmin(1)
        counts += torch.bincount(clip[nearest], minlength=len(library))
    return Coverage(counts)


@dataclass(frozen=True)
class Recovery:
    """Which worlds stood again after lying on the ground, over time."""

    stood: Bool[Tensor, "time world"]
    """Stays true once it is."""

    @property
    def share(self) -> float:
        """Of worlds that stood."""
        return float(self.stood[-1].float().mean())

    @property
    def seconds(self) -> float:
        """Until half of all worlds stood; infinite if fewer did."""
        enough = self.stood.float().mean(1) >= 0.5
        return float((~enough).sum()) / CONTROL_RATE if enough[-1] else float("inf")


def recovery(
    controller: Controller,
    engine: Engine,
    generator: torch.Generator,
    postures: BankPostures,
    seconds: float = 5.0,
) -> Recovery:
    """Lie on the ground in some random way, hold a latent that stands, and see whether the body gets up.

    Up: the pelvis is above 0.7 m for half a second. ``generator`` is one of the CPU.
    """
    n, device = engine.num_worlds, engine.device
    engine.reset(torch.arange(n, device=device), *fall_bank(engine, generator))
    standing = postures.upright.nonzero()[:, 0] if postures.upright.any() else torch.arange(len(controller.latents))
    draws = torch.randint(len(standing), (n,), generator=generator)
    z = controller.latents[standing[draws.to(standing.device)]]
    up = torch.zeros(n, dtype=torch.long, device=device)
    stood = []
    for _ in range(round(seconds * CONTROL_RATE)):
        engine.step(controller.act(engine.state(), z))
        up = torch.where(engine.state().positions[:, 0, 2] > STANDING, up + 1, 0)
        stood.append(up >= STOOD)
    return Recovery(torch.stack(stood).cummax(0).values)


@dataclass(frozen=True)
class LatentQuality:
    """How the encoder arranges motions."""

    retrieval: float
    """Share of windows whose nearest neighbour in latent space is of their own clip."""
    uniformity: float
    """log E exp(−2‖a − b‖²): −4 on a sphere that is filled evenly, 0 if all latents are one."""


def latent_quality(
    controller: Controller, library: MotionLibrary, generator: torch.Generator, samples: int = 500
) -> LatentQuality:
    """Draw windows, and for each the nearest of four times as many others that end half a second or more away.

    A window of which no such other was drawn (its clip is too short) says nothing and is left out. ``generator`` is one
    of the library's device.
    """
    frames = controller.config.frames
    clip, end = library.sample_windows(samples, generator, frames)
    other, far = library.sample_windows(4 * samples, generator, frames)
    latents, others = (controller.encode(library.windows(c, e, frames)) for c, e in ((clip, end), (other, far)))
    own = clip[:, None] == other
    near = own & ((end[:, None] - far).abs() < CONTROL_RATE // 2)
    possible = (own & ~near).any(1)
    found = other[(latents @ others.T).masked_fill(near, -torch.inf).argmax(1)] == clip
    share = float(found[possible].float().mean()) if possible.any() else 0.0
    return LatentQuality(share, float(uniformity_loss(latents)))
