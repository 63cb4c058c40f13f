"""States in which episodes begin: the initial pose, a little disturbed, or in the middle of some movement."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from anyskill import rotation
from anyskill.body.state import BodyState
from anyskill.controller.controller import Controller
from anyskill.learning.config import require
from anyskill.sim.engine import CONTROL_RATE, Engine
from anyskill.skill.errors import SkillError
from anyskill.skill.termination import LYING


@dataclass(frozen=True)
class StartConfig:
    """Where episodes begin; all face +x at the origin."""

    noise: float = 0.05
    """Standard deviation of the initial pose's joint angles (rad)."""
    moving: float = 0.5
    """Chance to begin in the middle of a movement of the controller's bank instead."""

    def __post_init__(self) -> None:
        require(self, "noise", self.noise >= 0, "at least 0")
        require(self, "moving", 0 <= self.moving <= 1, "from 0 to 1")


class Starts:
    """Draws states to begin in.

    States of movements are made here: from the initial pose, each world follows a random latent of the bank for three
    seconds; its states after one and two of them are kept if the body is not down a second later.
    """

    def __init__(
        self, engine: Engine, controller: Controller, generator: torch.Generator, config: StartConfig | None = None
    ) -> None:
        self.engine, self.controller, self.generator = engine, controller, generator
        self.config = config or StartConfig()
        self._skeleton, self._device = engine.skeleton, engine.device
        self._moving: tuple[Tensor, ...] = self._warm_up() if self.config.moving else ()

    def draw(self, n: int) -> tuple[Float[Tensor, "n nq"], Float[Tensor, "n nv"]]:
        """Generalised positions and velocities of ``n`` states."""
        qpos, qvel = self._initial(n)
        if self._moving:
            moving = torch.rand(n, generator=self.generator, device=self._device) < self.config.moving
            choice = self._randint(len(self._moving[0]), n)
            qpos = torch.where(moving[:, None], self._moving[0][choice], qpos)
            qvel = torch.where(moving[:, None], self._moving[1][choice], qvel)
        return qpos, qvel

    def _initial(self, n: int) -> tuple[Tensor, Tensor]:
        skeleton = self._skeleton
        noise = torch.randn(n, skeleton.num_dof, generator=self.generator, device=self._device)
        limits = skeleton.limits.float().to(self._device)
        dofs = (self.config.noise * noise).clamp(limits[:, 0], limits[:, 1])
        root, upright = skeleton.pose(skeleton.initial_qpos.float().to(self._device))
        local = skeleton.rotations_from_dofs(upright[0].expand(n, 4), dofs)
        positions, _ = skeleton.forward(root.expand(n, 3), local)
        # The lower ankle stays as high above the ground as in the undisturbed pose, whatever the legs do.
        ankles = list(skeleton.contact_bodies)
        rest, _ = skeleton.forward(root, upright)
        lift = rest[ankles, 2].min() - positions[:, ankles, 2].amin(1)
        root = root + lift[:, None] * torch.tensor([0.0, 0.0, 1.0], device=self._device)
        qpos = skeleton.qpos(root, local)
        return qpos, torch.zeros(n, 6 + skeleton.num_dof, device=self._device)

    def _warm_up(self) -> tuple[Tensor, Tensor]:
        engine, n = self.engine, self.engine.num_worlds
        z = self.controller.latents[self._randint(len(self.controller.latents), n)]
        engine.reset(torch.arange(n, device=self._device), *self._initial(n))
        lost = torch.zeros(n, dtype=torch.bool, device=self._device)
        found, before = [], None
        for _ in range(3):
            for _ in range(CONTROL_RATE):
                lost |= engine.step(self.controller.act(engine.state(), z))
            state = engine.state()
            if before is not None:
                found.append(before[~lost & ~LYING(state, self._skeleton)])
            before = state
        states = BodyState.cat(found)
        if not len(states.positions):
            raise SkillError(
                "no body stays up for two seconds under the latents of this controller; train the controller "
                "further, or begin all episodes in the initial pose (moving = 0)."
            )
        return to_origin(states.qpos(self._skeleton), states.qvel(self._skeleton))

    def state_dict(self) -> dict[str, Tensor]:
        """The states of movements."""
        return dict(zip(("qpos", "qvel"), self._moving, strict=False))

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on with these."""
        self._moving = tuple(state[name].to(self._device) for name in ("qpos", "qvel") if name in state)

    def _randint(self, below: int, n: int) -> Int[Tensor, "n"]:
        return torch.randint(below, (n,), generator=self.generator, device=self._device)


def to_origin(qpos: Float[Tensor, "n nq"], qvel: Float[Tensor, "n nv"]) -> tuple[Tensor, Tensor]:
    """The same movement above the origin, heading along +x."""
    qpos, qvel = qpos.clone(), qvel.clone()
    turn = rotation.conjugate(rotation.heading_rotation(qpos[:, 3:7]))
    qpos[:, :2] = 0.0
    qpos[:, 3:7] = rotation.multiply(turn, qpos[:, 3:7])
    qvel[:, :3] = rotation.rotate(turn, qvel[:, :3])  # the root's angular velocity is in its own frame already
    return qpos, qvel
