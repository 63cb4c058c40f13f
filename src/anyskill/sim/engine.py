"""The protocol of a physics engine: many worlds with one character each, stepped together.

Physics runs at 120 Hz, control at 30 Hz: one ``step`` holds the PD targets for four physics steps.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill.body.humanoid import HUMANOID, Character
from anyskill.body.model import Physics
from anyskill.body.skeleton import Skeleton
from anyskill.body.state import BodyState
from anyskill.sim.errors import SimulationError

if TYPE_CHECKING:
    from anyskill.sim.scene import SceneObject

SUBSTEPS = 4
CONTROL_RATE = 30  # control steps a second
CONTROL_DT = 1 / CONTROL_RATE  # s


class Engine(Protocol):
    """What every engine does; ``make_engine`` chooses one by device.

    Nothing waits for the device, but for a look once a second whether all is well; nothing handed out changes later.
    """

    skeleton: Skeleton
    num_worlds: int
    device: torch.device
    objects: tuple["SceneObject", ...]
    quarantined: Int[Tensor, "world"]
    """How often each world blew up (NaN, also in targets, or faster than a body can be) and was put back to its initial
    pose."""

    def reset(self, worlds: Int[Tensor, "n"], qpos: Float[Tensor, "n nq"], qvel: Float[Tensor, "n nv"]) -> None:
        """Put the character of some worlds into given states, and their objects into their initial poses.

        ``state`` is current at once (no stale poses); contact forces are zero until the next step.

        Raises:
            SimulationError: The tensors have the wrong shape.
        """

    def step(self, targets: Float[Tensor, "world dof"]) -> Bool[Tensor, "world"]:
        """One control step (1/30 s) with PD targets in rad.

        Returns:
            Which worlds blew up in this step: they are already back in the initial pose, at rest.

        Raises:
            SimulationError: The targets have the wrong shape.
        """

    def state(self) -> BodyState:
        """Poses and velocities now; contact forces of the last physics step. Float32."""

    def object_state(self) -> BodyState:
        """The same of the objects, in their order."""

    def move_object(
        self,
        name: str,
        worlds: Int[Tensor, "n"],
        positions: Float[Tensor, "n 3"],
        rotations: Float[Tensor, "n 4"] | None = None,
        linear_velocities: Float[Tensor, "n 3"] | None = None,
        angular_velocities: Float[Tensor, "n 3"] | None = None,
    ) -> None:
        """Place a free object in some worlds, or throw it; where no rotation is given it keeps its own.

        Raises:
            SimulationError: There is no free object of that name.
        """

    def state_dict(self) -> dict[str, Tensor]:
        """What the future of all worlds depends on, to go on from later."""

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from there, bit for bit on a CPU; contact forces are zero until the next step.

        Raises:
            SimulationError: It was saved with another number of worlds, another character or other objects.
        """


def make_engine(
    num_worlds: int,
    device: torch.device | str = "cpu",
    character: Character = HUMANOID,
    physics: Physics | None = None,
    *,
    objects: Sequence["SceneObject"] = (),
    threads: int = 0,
    dump_folder: Path | None = None,
) -> Engine:
    """The engine for a device: MuJoCo's batch on the CPU, MuJoCo Warp on a GPU.

    Args:
        num_worlds: How many worlds are simulated side by side.
        device: ``cpu`` or ``cuda[:n]``.
        character: Who is simulated.
        physics: Time step, self-collision and the like.
        objects: What else is in each world.
        threads: Of the CPU engine; 0 takes all.
        dump_folder: Where the last second of the first worlds that blow up is written; None writes nothing.

    Raises:
        SimulationError: There is no engine for the device, or nothing to simulate.
    """
    device = torch.device(device)
    if num_worlds < 1:
        raise SimulationError(f"num_worlds is {num_worlds}; at least one world is needed.")
    if device.type == "cpu":
        from anyskill.sim.mujoco_cpu import MujocoCpu

        return MujocoCpu(num_worlds, character, physics, objects, threads=threads, dump_folder=dump_folder)
    if device.type == "cuda":
        from anyskill.sim.mujoco_gpu import MujocoGpu

        if not torch.cuda.is_available():
            raise SimulationError(f"{device} was asked for, but PyTorch finds no CUDA device; use cpu.")
        return MujocoGpu(num_worlds, character, physics, objects, device=device, dump_folder=dump_folder)
    raise SimulationError(f"no physics engine runs on {device}; use cpu or cuda.")


def velocity_of_body_frames(
    cvel: Float[Tensor, "world body 6"],
    positions: Float[Tensor, "world body 3"],
    centres: Float[Tensor, "world #body 3"],
) -> tuple[Float[Tensor, "world body 3"], Float[Tensor, "world body 3"]]:
    """Linear velocity (m/s) of body frames and angular velocity (rad/s) from MuJoCo's com-based spatial velocity.

    ``cvel`` holds (angular, linear) with the linear part taken at the centre of mass of the body's whole tree.
    """
    angular, linear = cvel[..., :3], cvel[..., 3:]
    return linear + torch.linalg.cross(angular, positions - centres), angular


__all__: Sequence[str] = (
    "CONTROL_DT",
    "CONTROL_RATE",
    "SUBSTEPS",
    "Engine",
    "SimulationError",
    "make_engine",
    "velocity_of_body_frames",
)
