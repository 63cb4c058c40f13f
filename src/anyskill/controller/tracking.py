"""The tracking task: follow a clip frame by frame. Its policy is the teacher of the latent-conditioned controller.

The reference is compared free of heading and horizontal position, all in terms of the policy's observation, so that a
body which has drifted or turned is not dragged back but goes on with the movement from where it is.

A mirrored clip is followed in the mirror: the policy sees the image of the body and of the clip, and its action is
mirrored back. What it learns on one side it can do on the other.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from anyskill.body.mirror import Mirror, dof_mirror, policy_mirror, position_mirror
from anyskill.body.observation import policy_blocks, policy_observation, policy_size
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import Engine

LOOKAHEAD = (5, 15)  # further reference frames of which positions are seen
HORIZON = 60.0  # control steps, two seconds: the time over which a clip's failure rate is told
FADE = 0.95  # of what is remembered of a clip, for every attempt that ends


@dataclass(frozen=True)
class TrackingConfig:
    """Weights and scales of the tracking reward, and when an attempt has failed."""

    action_scale: float = 0.7
    """PD target = joint angles of the next reference frame + this (rad) × action."""
    weights: tuple[float, float, float, float, float] = (0.4, 0.3, 0.15, 0.05, 0.1)
    """Of positions, rotations, linear velocities, angular velocities, height; they sum to one."""
    sharpness: tuple[float, float, float, float, float] = (40.0, 5.0, 0.5, 0.03, 60.0)
    """Each term is exp(−sharpness × mean squared error), in the same order."""
    failure_distance: float = 0.6
    """A body this far (m) from where the reference has it, relative to the root, or a root this far off in height."""
    episode: int = 150
    """Control steps after which a world starts elsewhere, or goes over to another clip."""
    go_over: float = 0.5
    """Chance that a world whose time is up follows another clip from where it is, instead of starting in it."""
    patience: int = 45
    """Control steps after going over in which no distance is a failure."""


class TrackingTask:
    """Many worlds, each following its own clip from its own moment.

    Clips that are soon lost are started more often: weight × (0.1 + failure rate).
    """

    def __init__(
        self,
        engine: Engine,
        library: MotionLibrary,
        generator: torch.Generator,
        config: TrackingConfig | None = None,
    ) -> None:
        self.engine, self.library, self.generator = engine, library, generator
        self.config = config or TrackingConfig()
        skeleton, n = engine.skeleton, engine.num_worlds
        self.blocks = policy_blocks(skeleton)
        self.num_actions = skeleton.num_dof
        seen = self.blocks["positions"].stop
        self.observation_size = 2 * policy_size(skeleton) + len(LOOKAHEAD) * seen
        states = library.states(*library.places())
        self._observations = policy_observation(states)
        self._dofs = skeleton.dofs_from_rotations(skeleton.local_rotations(states.rotations))
        self._qpos, self._qvel = states.qpos(skeleton), states.qvel(skeleton)
        full, seen_mirror = policy_mirror(skeleton), position_mirror(skeleton)
        self._observation_mirror = Mirror.cat(full, full, *[seen_mirror] * len(LOOKAHEAD)).to(engine.device)
        self._dof_mirror = dof_mirror(skeleton).to(engine.device)
        self._is_mirrored = torch.tensor([name.endswith("-mirrored") for name in library.names], device=engine.device)
        self.clip = torch.zeros(n, dtype=torch.long, device=engine.device)
        self.frame = torch.zeros_like(self.clip)
        self.age = torch.zeros_like(self.clip)
        self.patience = torch.zeros_like(self.clip)  # steps left in which no distance is a failure
        self._failed = torch.ones(n, dtype=torch.bool, device=engine.device)
        # Failures and steps tried of each clip, both fading; at first as if half were lost within two seconds.
        self._lost = torch.full((len(library),), 0.7, device=engine.device)
        self._tried = torch.full_like(self._lost, HORIZON)
        self.reset(torch.ones(n, dtype=torch.bool, device=engine.device))

    def reset(self, mask: Bool[Tensor, "world"]) -> None:
        """Start some worlds at a random moment of a random clip, in exactly the reference's state.

        Some of those that have not failed stay in the state they are in, and have to find into the new clip: so the
        policy learns to go from one movement to another, and what that takes of balance.
        """
        worlds = mask.nonzero()[:, 0]
        n = len(worlds)
        if not n:
            return
        clip, frame = self.library.sample(n, self.generator, margin=1, factors=0.1 + self.failure_rate)
        self.clip[worlds], self.frame[worlds], self.age[worlds] = clip, frame, 0
        stays = torch.rand(n, generator=self.generator, device=self.generator.device) < self.config.go_over
        stays &= ~self._failed[worlds]
        self.patience[worlds] = torch.where(stays, self.config.patience, 0)
        starts = ~stays
        rows = self.library.rows(clip, frame)[starts]
        self.engine.reset(worlds[starts], self._qpos[rows], self._qvel[rows])

    def observe(self) -> Float[Tensor, "world observation"]:
        """The body, then the next reference frame minus the body, then where its joints will be somewhat later."""
        now = policy_observation(self.engine.state())
        seen = slice(0, self.blocks["positions"].stop)
        parts = [now, self._reference(1) - now]
        parts += [(self._reference(ahead) - now)[:, seen] for ahead in LOOKAHEAD]
        return self._mirrored(torch.cat(parts, -1), self._observation_mirror)

    def targets(self, action: Float[Tensor, "world dof"]) -> Float[Tensor, "world dof"]:
        """PD targets (rad): the next reference pose, corrected by the action."""
        rows = self.library.rows(self.clip, self.frame + 1)
        return self._dofs[rows] + self.config.action_scale * self._mirrored(action, self._dof_mirror)

    def _mirrored(self, vector: Float[Tensor, "world n"], mirror: Mirror) -> Float[Tensor, "world n"]:
        """Mirrored in the worlds whose clip is."""
        return torch.where(self._is_mirrored[self.clip][:, None], mirror(vector), vector)

    def _reference(self, ahead: int) -> Float[Tensor, "world observation"]:
        """What a body in perfect step would observe some frames from now."""
        return self._observations[self.library.rows(self.clip, self.frame + ahead)]

    def step(
        self, targets: Float[Tensor, "world dof"]
    ) -> tuple[Float[Tensor, "world"], Bool[Tensor, "world"], Bool[Tensor, "world"]]:
        """One control step: reward, worlds that failed, worlds whose time is up. Neither is reset yet."""
        lost = self.engine.step(targets)
        self.frame += 1
        self.age += 1
        self.patience = (self.patience - 1).clamp_min(0)
        now = policy_observation(self.engine.state())
        error = now - self._reference(0)
        reward = torch.zeros_like(error[:, 0])
        names = ("positions", "rotations", "linear", "angular", "height")
        for name, weight, sharpness in zip(names, self.config.weights, self.config.sharpness, strict=True):
            reward += weight * torch.exp(-sharpness * error[:, self.blocks[name]].square().mean(-1))
        distance = error[:, self.blocks["positions"]].unflatten(-1, (-1, 3)).norm(dim=-1).amax(-1)
        height = error[:, 0].abs()
        far = torch.maximum(distance, height) > self.config.failure_distance
        failed = self._failed = far & (self.patience == 0) | lost
        finished = self.library.ended(self.clip, self.frame) | (self.age >= self.config.episode)
        self._note(failed, finished & ~failed)
        return torch.where(failed, 0.0, reward), failed, finished & ~failed

    @property
    def failure_rate(self) -> Float[Tensor, "clip"]:
        """Chance of each clip to be lost within two seconds, from failures by time tried over the last attempts.

        By time, because a long clip or a loop has more occasions to fail in one attempt than a short one.
        """
        return 1.0 - torch.exp(-HORIZON * self._lost / self._tried)

    def _note(self, failed: Bool[Tensor, "world"], finished: Bool[Tensor, "world"]) -> None:
        """Count the attempts that end now."""
        ended = failed | finished
        fade = FADE ** self._by_clip(ended)
        self._lost = fade * self._lost + self._by_clip(failed)
        self._tried = fade * self._tried + self._by_clip(self.age * ended)

    def _by_clip(self, numbers: Shaped[Tensor, "world"]) -> Float[Tensor, "clip"]:
        """Sums over the worlds of each clip."""
        return torch.zeros_like(self._lost).index_add_(0, self.clip, numbers.float())

    def state_dict(self) -> dict[str, Any]:
        """Where every world is, in its clip and in the simulation."""
        return {
            "names": list(self.library.names),
            "clip": self.clip,
            "frame": self.frame,
            "age": self.age,
            "patience": self.patience,
            "lost": self._lost,
            "tried": self._tried,
            "engine": self.engine.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there; with other clips, all worlds start anew and known clips keep their failure rates."""
        index = {name: number for number, name in enumerate(self.library.names)}
        known = [(index[name], number) for number, name in enumerate(state["names"]) if name in index]
        ours, theirs = (list(numbers) for numbers in zip(*known, strict=True)) if known else ([], [])
        self._lost[ours], self._tried[ours] = state["lost"][theirs], state["tried"][theirs]
        if tuple(state["names"]) != self.library.names:
            self.reset(torch.ones_like(self.age, dtype=torch.bool))
            return
        for name in ("clip", "frame", "age", "patience"):
            getattr(self, name).copy_(state[name])
        self.engine.load_state_dict(state["engine"])
