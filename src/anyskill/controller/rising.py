"""The task of standing: getting up from the ground, and staying up when pushed.

Its policy is the student's second teacher, for when the body is down or about to be.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill.body.mirror import Mirror, dof_mirror, policy_mirror
from anyskill.body.observation import policy_blocks, policy_observation, policy_size
from anyskill.body.state import BodyState
from anyskill.controller.falling import STANDING, fall_bank
from anyskill.controller.similarity import Similarity
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import Engine


@dataclass(frozen=True)
class RisingConfig:
    """The reward: half for height, half for standing still in the initial pose, less what the movement costs."""

    similarity: Similarity = field(default_factory=Similarity)
    """To a body that stands still."""
    effort: float = 0.005
    """Taken away, times the mean square of the angular velocities of all bodies (rad²/s²)."""
    episode: int = 150
    """Control steps to stand up in, and to stay up for what is left of them."""
    clip_start: float = 0.6
    """Chance to start in some frame of a clip with a push, instead of as a fall ends."""
    push: float = 0.8
    """Standard deviation of what a push adds to each component of the root's velocity (m/s)."""
    spin: float = 1.5
    """The same of its angular velocity (rad/s)."""


class RisingTask:
    """Many worlds, each on the ground at first, as a fall has left it, or losing its balance somewhere in a clip.

    Every other world sees itself in the mirror and acts mirrored: what is learnt on one side can be done on the other.
    """

    def __init__(
        self,
        engine: Engine,
        library: MotionLibrary,
        generator: torch.Generator,
        config: RisingConfig | None = None,
    ) -> None:
        self.engine, self.library, self.generator = engine, library, generator
        self.config = config or RisingConfig()
        skeleton, n, device = engine.skeleton, engine.num_worlds, engine.device
        self.blocks = policy_blocks(skeleton)
        self.num_actions, self.observation_size = skeleton.num_dof, policy_size(skeleton)
        self._offset = skeleton.action_offset.float().to(device)
        self._scale = skeleton.action_scale.float().to(device)
        self._observation_mirror = policy_mirror(skeleton).to(device)
        self._dof_mirror = dof_mirror(skeleton).to(device)
        self._is_mirrored = (torch.arange(n, device=device) % 2 == 1)[:, None]
        self._head = skeleton.index("head")
        positions, rotations = skeleton.forward(*skeleton.pose(skeleton.initial_qpos))
        nothing = torch.zeros_like(positions)
        standing = BodyState(positions, rotations, nothing, nothing, nothing)
        self._standing = policy_observation(standing).float().to(device)
        self._heights = positions[[0, self._head], 2].float().to(device)
        self.fallen = fall_bank(engine, generator)
        self.age = torch.zeros(n, dtype=torch.long, device=device)
        self._stood = torch.zeros((), device=device)  # share of the last bodies whose time was up that stood, fading
        self.reset(torch.ones(n, dtype=torch.bool, device=device))
        # Not all in the same phase, or iterations would see now only lying and now only standing.
        self.age = torch.randint(self.config.episode, (n,), generator=generator, device=device)

    def reset(self, mask: Bool[Tensor, "world"]) -> None:
        """Put some worlds on the ground, and push others."""
        worlds = mask.nonzero()[:, 0]
        n, draws, config = len(worlds), self.generator, self.config
        chance, place = torch.rand(2, n, 1, generator=draws, device=draws.device)
        qpos, qvel = self.library.generalized(*self.library.sample(n, draws))
        push = torch.randn(n, 6, generator=draws, device=draws.device)
        qvel[:, :3] += config.push * push[:, :3]
        qvel[:, 3:6] += config.spin * push[:, 3:]
        fallen = [states[(place[:, 0] * len(states)).long()] for states in self.fallen]
        falls = chance >= config.clip_start
        self.engine.reset(worlds, torch.where(falls, fallen[0], qpos), torch.where(falls, fallen[1], qvel))
        self.age[worlds] = 0

    def observe(self) -> Float[Tensor, "world observation"]:
        """The body."""
        return self._mirrored(policy_observation(self.engine.state()), self._observation_mirror)

    def targets(self, action: Float[Tensor, "world dof"]) -> Float[Tensor, "world dof"]:
        """PD targets (rad), as those of a controller."""
        return self._offset + self._scale * self._mirrored(action, self._dof_mirror).clamp(-1.0, 1.0)

    def _mirrored(self, vector: Float[Tensor, "world n"], mirror: Mirror) -> Float[Tensor, "world n"]:
        return torch.where(self._is_mirrored, mirror(vector), vector)

    def step(
        self, targets: Float[Tensor, "world dof"]
    ) -> tuple[Float[Tensor, "world"], Bool[Tensor, "world"], Bool[Tensor, "world"]]:
        """One control step: reward, worlds that broke down, worlds whose time is up. Neither is reset yet."""
        lost = self.engine.step(targets)
        self.age += 1
        positions = self.engine.state().positions
        seen = policy_observation(self.engine.state())
        height = (positions[:, [0, self._head], 2] / self._heights).clamp(0.0, 1.0).mean(1)
        similarity = self.config.similarity(seen - self._standing, self.blocks)
        effort = self.config.effort * seen[:, self.blocks["angular"]].square().mean(1)
        finished = (self.age >= self.config.episode) & ~lost
        self._note(positions[finished, 0, 2] > STANDING)
        return torch.where(lost, 0.0, 0.5 * height + 0.5 * similarity - effort), lost, finished

    def _note(self, stands: Bool[Tensor, "n"]) -> None:
        if len(stands):
            self._stood.lerp_(stands.float().mean(), 0.1)

    def report(self) -> dict[str, float]:
        """How well it goes: the share of bodies that stand when their time is up."""
        return {"stood": float(self._stood)}

    def state_dict(self) -> dict[str, Any]:
        """Where every world is, and how it may begin."""
        return {
            "age": self.age,
            "stood": self._stood,
            "fallen_qpos": self.fallen[0],
            "engine": self.engine.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.age.copy_(state["age"])
        self._stood.copy_(state["stood"])
        self.fallen[0].copy_(state["fallen_qpos"])
        self.engine.load_state_dict(state["engine"])
