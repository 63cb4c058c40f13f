"""The CPU engine: C MuJoCo, all worlds in one thread pool (``mujoco.batch``)."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import mujoco
import mujoco.batch
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill.body.humanoid import HUMANOID, Character
from anyskill.body.model import Physics
from anyskill.sim.engine import SUBSTEPS
from anyskill.sim.mujoco_engine import MujocoEngine
from anyskill.sim.scene import SceneObject


class MujocoCpu(MujocoEngine):
    """``Engine`` on ``mujoco.batch.Batch``: bound views in, bound views out, no loop over worlds."""

    def __init__(
        self,
        num_worlds: int,
        character: Character = HUMANOID,
        physics: Physics | None = None,
        objects: Sequence[SceneObject] = (),
        *,
        threads: int = 0,
        dump_folder: Path | None = None,
    ) -> None:
        self._threads = threads
        super().__init__(num_worlds, character, physics, objects, torch.device("cpu"), dump_folder)

    def _bind(self) -> None:
        # A diverging world must stay visible until it is quarantined, not jump back on its own.
        self.model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET
        # Persistent: the forward stages computed for the observation are where the next step starts from.
        self.batch = mujoco.batch.Batch(self.model, self.num_worlds, self._threads, persistent=True)
        self._qpos, self._qvel, self._ctrl, self._warmstart = (
            torch.from_numpy(self.batch.bind(name)) for name in ("qpos", "qvel", "ctrl", "qacc_warmstart")
        )
        with warnings.catch_warnings():
            # Outputs are read-only arrays, which torch has no word for; they are never written to here.
            warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
            self._xpos, self._xquat, self._cvel, self._subtree_com, sensors = (
                torch.from_numpy(self.batch.bind(name))
                for name in ("xpos", "xquat", "cvel", "subtree_com", "sensordata")
            )
        self._contact = sensors.view(self.num_worlds, -1, 3)

    def _advance(self) -> None:
        with _mujoco_silent():
            self.batch.step(nstep=SUBSTEPS, stage=mujoco.mjtStage.mjSTAGE_VEL)

    def _place(self, worlds: Int[Tensor, "n"], qpos: Float[Tensor, "n nq"], qvel: Float[Tensor, "n nv"]) -> None:
        ids = worlds.unique().numpy()  # sorted, as the batch wants them
        # Starting from the defaults clears warm starts, so that a world's future depends on its state alone.
        self.batch.reset(ids, stage=mujoco.mjtStage.mjSTAGE_NONE)
        self._qpos[worlds], self._qvel[worlds] = qpos, qvel
        self.batch.forward(ids, stage=mujoco.mjtStage.mjSTAGE_VEL)

    def _put_back(self, lost: Bool[Tensor, "world"]) -> None:
        if lost.any():
            worlds = lost.nonzero()[:, 0]
            zero = torch.zeros(1, self.model.nv, dtype=torch.float64)
            self._place(worlds, self._initial[None], zero)


@contextmanager
def _mujoco_silent() -> Iterator[None]:
    """No log: MuJoCo would write a line for every world that blows up, but the flight recorder is there for them."""
    before, quiet = mujoco.MjLogConfig.get(), mujoco.MjLogConfig.get()
    quiet.logto_console = quiet.logto_file = False
    quiet.set()
    try:
        yield
    finally:
        before.set()
