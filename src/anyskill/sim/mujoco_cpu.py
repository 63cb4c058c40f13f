"""The CPU engine: C MuJoCo, all worlds in one thread pool (``mujoco.batch``)."""

import warnings
from pathlib import Path

import mujoco
import mujoco.batch
import torch
from jaxtyping import Float, Int
from torch import Tensor

from anyskill.body.humanoid import HUMANOID, Character
from anyskill.body.model import Physics, build_spec
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.sim.engine import SUBSTEPS, initial_qpos, velocity_of_body_frames
from anyskill.sim.recorder import FlightRecorder


class MujocoCpu:
    """``Engine`` on ``mujoco.batch.Batch``: bound views in, bound views out, no loop over worlds."""

    def __init__(
        self,
        num_worlds: int,
        character: Character = HUMANOID,
        physics: Physics | None = None,
        *,
        threads: int = 0,
        dump_folder: Path | None = None,
    ) -> None:
        physics = physics or Physics()
        spec = build_spec(character, physics)
        # A diverging world must stay visible until it is quarantined, not jump back on its own.
        spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET
        self.model = spec.compile()
        self.skeleton = skeleton_of(character)
        self.num_worlds = num_worlds
        self.device = torch.device("cpu")
        self.quarantined = torch.zeros(num_worlds, dtype=torch.long)
        # Persistent: the forward stages computed for the observation are where the next step starts from.
        self.batch = mujoco.batch.Batch(self.model, num_worlds, threads, persistent=True)
        bodies = slice(1, 1 + self.skeleton.num_bodies)
        self._qpos, self._qvel, self._ctrl = (
            torch.from_numpy(self.batch.bind(name)) for name in ("qpos", "qvel", "ctrl")
        )
        self._xpos, self._xquat, self._cvel = (self._view(name)[:, bodies] for name in ("xpos", "xquat", "cvel"))
        self._root_com = self._view("subtree_com")[:, 1:2]
        self._contact = self._view("sensordata")[:, : 3 * self.skeleton.num_bodies]
        self._initial = initial_qpos(self.skeleton, character.rest_height)
        self._recorder = FlightRecorder(
            num_worlds,
            (self.model.nq, self.model.nv, self.model.nu),
            character,
            physics,
            self.device,
            dump_folder,
        )
        self._state: BodyState | None = None
        self._put_back(torch.arange(num_worlds))

    def _view(self, name: str) -> Tensor:
        """A live tensor over one of the batch's outputs."""
        with warnings.catch_warnings():
            # Outputs are read-only arrays, which torch has no word for; they are never written to here.
            warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
            return torch.from_numpy(self.batch.bind(name))

    def reset(self, worlds: Int[Tensor, "n"], qpos: Float[Tensor, "n nq"], qvel: Float[Tensor, "n nv"]) -> None:
        """See ``Engine.reset``."""
        ids = worlds.numpy()
        # Starting from the defaults clears warm starts, so that a world's future depends on its state alone.
        self.batch.reset(ids, stage=mujoco.mjtStage.mjSTAGE_NONE)
        self._qpos[worlds], self._qvel[worlds] = qpos.double(), qvel.double()
        self.batch.forward(ids)
        self._recorder.restart(worlds)
        self._state = None

    def step(self, targets: Float[Tensor, "world dof"]) -> Int[Tensor, "n"]:
        """See ``Engine.step``."""
        self._ctrl.copy_(targets)
        self.batch.step(nstep=SUBSTEPS, stage=mujoco.mjtStage.mjSTAGE_VEL)
        self._state = None
        lost = self._recorder.record(self._qpos, self._qvel, targets)
        if len(lost):
            self._recorder.dump(lost)
            self.quarantined[lost] += 1
            self._put_back(lost)
        return lost

    def state(self) -> BodyState:
        """See ``Engine.state``."""
        if self._state is None:
            linear, angular = velocity_of_body_frames(self._cvel, self._xpos, self._root_com)
            self._state = BodyState(
                self._xpos.float(),
                self._xquat.float(),
                linear.float(),
                angular.float(),
                -self._contact.reshape(self.num_worlds, -1, 3).float(),
            )
        return self._state

    def _put_back(self, worlds: Int[Tensor, "n"]) -> None:
        """Initial pose, at rest."""
        qpos = self._initial.expand(len(worlds), -1)
        self.reset(worlds, qpos, torch.zeros(len(worlds), self.model.nv))
