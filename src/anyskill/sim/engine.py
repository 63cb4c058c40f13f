"""The protocol of a physics engine: many worlds with one character each, stepped together.

Physics runs at 120 Hz, control at 30 Hz: one ``step`` holds the PD targets for four physics steps.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from anyskill.body.humanoid import HUMANOID, Character
from anyskill.body.model import Physics
from anyskill.body.skeleton import Skeleton
from anyskill.body.state import BodyState
from anyskill.errors import AnyskillError

SUBSTEPS = 4
CONTROL_DT = 1 / 30  # s


class SimulationError(AnyskillError):
    """The world cannot be built or stepped as asked."""


class Engine(Protocol):
    """What every engine does; ``make_engine`` chooses one by device."""

    skeleton: Skeleton
    num_worlds: int
    device: torch.device
    quarantined: Int[Tensor, "world"]
    """How often each world blew up (NaN, or faster than a body can be) and was put back to its initial pose."""

    def reset(self, worlds: Int[Tensor, "n"], qpos: Float[Tensor, "n nq"], qvel: Float[Tensor, "n nv"]) -> None:
        """Put some worlds into given states; ``state`` is current at once (no stale poses)."""

    def step(self, targets: Float[Tensor, "world dof"]) -> Int[Tensor, "n"]:
        """One control step (1/30 s) with PD targets in rad.

        Returns:
            The worlds that blew up in this step: they are already back in the initial pose, at rest.
        """

    def state(self) -> BodyState:
        """Poses and velocities now; contact forces of the last physics step. Float32, valid until the next call."""


def make_engine(
    num_worlds: int,
    device: torch.device | str = "cpu",
    character: Character = HUMANOID,
    physics: Physics | None = None,
    *,
    threads: int = 0,
) -> Engine:
    """The engine for a device: MuJoCo's batch on the CPU, MuJoCo Warp on a GPU.

    Args:
        num_worlds: How many worlds are simulated side by side.
        device: ``cpu`` or ``cuda[:n]``.
        character: Who is simulated.
        physics: Time step, self-collision and the like.
        threads: Of the CPU engine; 0 takes all.
    """
    device = torch.device(device)
    if num_worlds < 1:
        raise SimulationError(f"num_worlds is {num_worlds}; at least one world is needed.")
    if device.type == "cpu":
        from anyskill.sim.mujoco_cpu import MujocoCpu

        return MujocoCpu(num_worlds, character, physics, threads=threads)
    if device.type == "cuda":
        from anyskill.sim.mujoco_gpu import MujocoGpu

        return MujocoGpu(num_worlds, character, physics, device=device)
    raise SimulationError(f"no physics engine runs on {device}; use cpu or cuda.")


def velocity_of_body_frames(
    cvel: Float[Tensor, "world body 6"],
    positions: Float[Tensor, "world body 3"],
    root_com: Float[Tensor, "world 1 3"],
) -> tuple[Float[Tensor, "world body 3"], Float[Tensor, "world body 3"]]:
    """Linear velocity (m/s) of body frames and angular velocity (rad/s) from MuJoCo's com-based spatial velocity.

    ``cvel`` holds (angular, linear) with the linear part taken at the centre of mass of the whole tree.
    """
    angular, linear = cvel[..., :3], cvel[..., 3:]
    return linear + torch.linalg.cross(angular, positions - root_com), angular


def initial_qpos(skeleton: Skeleton, height: float) -> Float[Tensor, "nq"]:
    """The initial pose: upright at the given root height, all joints at zero, facing +x."""
    local = torch.zeros(skeleton.num_bodies, 4, dtype=torch.float64)
    local[:, 0] = 1.0
    return skeleton.qpos(torch.tensor([0.0, 0.0, height], dtype=torch.float64), local)


__all__: Sequence[str] = (
    "CONTROL_DT",
    "SUBSTEPS",
    "Engine",
    "SimulationError",
    "initial_qpos",
    "make_engine",
    "velocity_of_body_frames",
)
