"""What the CPU and the GPU engine share: everything but how physics steps are taken."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import Character
from anyskill.body.model import Physics
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.sim.engine import velocity_of_body_frames
from anyskill.sim.errors import SimulationError
from anyskill.sim.recorder import STEPS, FlightRecorder
from anyskill.sim.scene import SceneObject, build_scene_spec


class MujocoEngine(ABC):
    """``Engine`` over live tensors of MuJoCo's fields, which a subclass binds; it also moves time and poses on.

    The model's first positions, velocities, bodies, controls and sensors are the character's, then come the objects'.
    """

    _qpos: Float[Tensor, "world nq"]
    _qvel: Float[Tensor, "world nv"]
    _ctrl: Float[Tensor, "world nu"]
    _warmstart: Float[Tensor, "world nv"]
    _xpos: Float[Tensor, "world nbody 3"]
    _xquat: Float[Tensor, "world nbody 4"]
    _cvel: Float[Tensor, "world nbody 6"]
    _subtree_com: Float[Tensor, "world nbody 3"]
    _contact: Float[Tensor, "world sensor 3"]

    def __init__(
        self,
        num_worlds: int,
        character: Character,
        physics: Physics | None,
        objects: Sequence[SceneObject],
        device: torch.device,
        dump_folder: Path | None,
    ) -> None:
        physics = physics or Physics()
        self.model = build_scene_spec(character, physics, objects).compile()
        self.skeleton = skeleton_of(character)
        self.objects = tuple(objects)
        self.num_worlds = num_worlds
        self.device = device
        self.quarantined = torch.zeros(num_worlds, dtype=torch.long, device=device)
        self._initial = torch.from_numpy(self.model.qpos0).to(device)
        balls = sum(joint.kind == "ball" for joint in self.skeleton.joints.values())
        self._character_sizes = 7 + self.skeleton.num_dof + balls, 6 + self.skeleton.num_dof
        count = self.skeleton.num_bodies
        # Bodies, the roots of their trees, and their sensors. Objects are the last bodies, each its own root.
        self._character = slice(1, count + 1), slice(1, 2), slice(0, count)
        things = slice(self.model.nbody - len(self.objects), self.model.nbody)
        self._things = things, things, slice(count, count + len(self.objects))
        sizes = (self.model.nq, self.model.nv, self.model.nu)
        period = 1 if device.type == "cpu" else STEPS
        self._recorder = FlightRecorder(num_worlds, sizes, character, physics, device, dump_folder, period)
        self._bind()
        self._state: BodyState | None = None
        self._put_back(torch.ones(num_worlds, dtype=torch.bool, device=device))

    @abstractmethod
    def _bind(self) -> None:
        """Make the simulation and the live tensors."""

    @abstractmethod
    def _advance(self) -> None:
        """Take the physics steps of one control step."""

    @abstractmethod
    def _place(self, worlds: Int[Tensor, "n"], qpos: Float[Tensor, "n nq"], qvel: Float[Tensor, "n nv"]) -> None:
        """Put worlds into states, forget their contacts and warm starts, and bring poses and velocities up to date."""

    @abstractmethod
    def _put_back(self, lost: Bool[Tensor, "world"]) -> None:
        """``_place`` some worlds in the initial pose, at rest, and bring all poses up to date."""

    def reset(self, worlds: Int[Tensor, "n"], qpos: Float[Tensor, "n nq"], qvel: Float[Tensor, "n nv"]) -> None:
        """See ``Engine.reset``."""
        nq, nv = self._character_sizes
        if qpos.shape != (len(worlds), nq) or qvel.shape != (len(worlds), nv):
            raise SimulationError(
                f"reset of {len(worlds)} worlds needs qpos of shape ({len(worlds)}, {nq}) and qvel of ({len(worlds)}, "
                f"{nv}); they are {tuple(qpos.shape)} and {tuple(qvel.shape)}."
            )
        worlds = worlds.to(self.device)
        full_qpos = self._initial.repeat(len(worlds), 1)
        full_qvel = torch.zeros(len(worlds), self.model.nv, dtype=full_qpos.dtype, device=self.device)
        full_qpos[:, :nq], full_qvel[:, :nv] = qpos, qvel
        self._place(worlds, full_qpos, full_qvel)
        self._recorder.restart(worlds)
        self._state = None

    def step(self, targets: Float[Tensor, "world dof"]) -> Bool[Tensor, "world"]:
        """See ``Engine.step``."""
        if targets.shape != self._ctrl.shape:
            raise SimulationError(f"targets must have shape {tuple(self._ctrl.shape)}, not {tuple(targets.shape)}.")
        self._ctrl.copy_(targets)
        self._advance()
        self._state = None
        lost = self._recorder.record(self._qpos, self._qvel, self._ctrl)
        self.quarantined += lost
        self._put_back(lost)
        return lost

    def state(self) -> BodyState:
        """See ``Engine.state``."""
        if self._state is None:
            self._state = self._read(*self._character)
        return self._state

    def object_state(self) -> BodyState:
        """See ``Engine.object_state``."""
        return self._read(*self._things)

    def move_object(
        self,
        name: str,
        worlds: Int[Tensor, "n"],
        positions: Float[Tensor, "n 3"],
        rotations: Float[Tensor, "n 4"] | None = None,
        linear_velocities: Float[Tensor, "n 3"] | None = None,
        angular_velocities: Float[Tensor, "n 3"] | None = None,
    ) -> None:
        """See ``Engine.move_object``."""
        free = [item.name for item in self.objects if item.mobility == "free"]
        if name not in free:
            raise SimulationError(f"there is no free object {name} to move; the scene has {', '.join(free) or 'none'}.")
        joint, worlds = self.model.joint(name), worlds.to(self.device)
        qpos, qvel = self._qpos[worlds], self._qvel[worlds]
        start = int(joint.qposadr[0])
        qpos[:, start : start + 3] = positions.to(qpos)
        if rotations is not None:
            qpos[:, start + 3 : start + 7] = rotations.to(qpos)
        turn = qpos[:, start + 3 : start + 7]
        start = int(joint.dofadr[0])
        qvel[:, start : start + 6] = 0.0
        if linear_velocities is not None:
            qvel[:, start : start + 3] = linear_velocities.to(qvel)
        if angular_velocities is not None:  # MuJoCo has them in the body's own frame
            qvel[:, start + 3 : start + 6] = rotation.rotate_inverse(turn, angular_velocities.to(qvel))
        self._place(worlds, qpos, qvel)
        self._state = None

    def state_dict(self) -> dict[str, Tensor]:
        """See ``Engine.state_dict``."""
        return {name: tensor.clone() for name, tensor in self._kept().items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """See ``Engine.load_state_dict``."""
        kept = self._kept()
        shapes = {name: tuple(tensor.shape) for name, tensor in kept.items()}
        found = {name: tuple(tensor.shape) for name, tensor in state.items()}
        if found != shapes:
            raise SimulationError(
                f"the saved state is of other worlds: it holds {found}, needed is {shapes}; make the engine with the "
                "same number of worlds, character and objects."
            )
        worlds = torch.arange(self.num_worlds, device=self.device)
        self._place(worlds, state["qpos"].to(self._qpos), state["qvel"].to(self._qvel))
        for name, tensor in kept.items():
            tensor.copy_(state[name])
        self._recorder.restart(worlds)
        self._state = None

    def _kept(self) -> dict[str, Tensor]:
        """All that the future depends on, and the count of losses."""
        return {
            "qpos": self._qpos,
            "qvel": self._qvel,
            "warmstart": self._warmstart,
            "quarantined": self.quarantined,
        }

    def _read(self, bodies: slice, roots: slice, sensors: slice) -> BodyState:
        """Poses, velocities and contact forces of some bodies, copied."""
        positions, cvel = self._xpos[:, bodies], self._cvel[:, bodies]
        linear, angular = velocity_of_body_frames(cvel, positions, self._subtree_com[:, roots])
        fields = (positions, self._xquat[:, bodies], linear, angular, -self._contact[:, sensors])
        return BodyState(*(field.to(torch.float32, copy=True) for field in fields))
