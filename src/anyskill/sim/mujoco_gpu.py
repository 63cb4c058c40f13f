"""The GPU engine: MuJoCo Warp, all worlds in captured CUDA graphs. It also runs on a CPU, slowly, for tests."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import mujoco_warp
import torch
import warp
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill.body.humanoid import HUMANOID, Character
from anyskill.body.model import Physics
from anyskill.sim.engine import SUBSTEPS
from anyskill.sim.mujoco_engine import MujocoEngine
from anyskill.sim.scene import SceneObject

warp.config.log_level = warp.LOG_WARNING  # one level lower it reports every kernel it loads

CONTACTS = 48
"""Room for contacts per world, on average. A body lying flat has 30 with the ground; flailing ones had 17 at most
(25 with sword and shield) and two or three on average, but the same room holds the pairs that come near each other."""
CONSTRAINTS = 128
"""Room for constraint rows in each world: four for each of 30 ground contacts, one for each limit and self-contact;
flailing bodies had 57 at most."""
OBJECT_CONTACTS, OBJECT_CONSTRAINTS = 24, 96  # more for each object; a chair stands on 16 contacts of four rows

_OVERFLOWS = mujoco_warp.OverflowType.ALL & ~(
    mujoco_warp.OverflowType.ITERATIONS | mujoco_warp.OverflowType.LS_ITERATIONS
)
_CHECK_PERIOD = 30  # control steps between two looks at the overflow flags, for which the device is waited for


class MujocoGpu(MujocoEngine):
    """``Engine`` on MuJoCo Warp: zero-copy views, two captured graphs, no waiting for the device.

    One control step is the first graph (the physics steps), then a few torch kernels that look for lost worlds and put
    them back, then the second graph, which brings poses and velocities up to date; ``reset`` ends with the same.
    Everything runs on torch's current stream.

    Args:
        num_worlds: How many worlds are simulated side by side.
        character: Who is simulated.
        physics: Time step, self-collision and the like.
        objects: What else is in each world.
        device: ``cuda[:n]``, or ``cpu`` for tests.
        dump_folder: Where worlds that blow up are recorded.
        contacts: Room for contacts per world, on average over worlds.
        constraints: Room for constraint rows in each world.
    """

    def __init__(
        self,
        num_worlds: int,
        character: Character = HUMANOID,
        physics: Physics | None = None,
        objects: Sequence[SceneObject] = (),
        *,
        device: torch.device | str = "cuda",
        dump_folder: Path | None = None,
        contacts: int | None = None,
        constraints: int | None = None,
    ) -> None:
        self._contacts = contacts or CONTACTS + OBJECT_CONTACTS * len(objects)
        self._constraints = constraints or CONSTRAINTS + OBJECT_CONSTRAINTS * len(objects)
        self._steps = 0
        device = torch.empty(0, device=device).device  # with its number, where only cuda was said
        super().__init__(num_worlds, character, physics, objects, device, dump_folder)

    def _bind(self) -> None:
        warp.init()
        self._warp_device = warp.device_from_torch(self.device)
        with warp.ScopedDevice(self._warp_device):
            self._model = mujoco_warp.put_model(self.model)
            self._data = mujoco_warp.make_data(
                self.model, self.num_worlds, nconmax=self._contacts, njmax=self._constraints
            )
        self._model.opt.warn_overflow = 0  # not printed from kernels, but looked up now and then
        data = self._data
        self._qpos, self._qvel, self._ctrl, self._warmstart, self._xpos, self._xquat, self._cvel = (
            warp.to_torch(array)
            for array in (
                data.qpos, data.qvel, data.ctrl, data.qacc_warmstart, data.xpos, data.xquat, data.cvel,
            )
        )  # fmt: skip
        self._subtree_com, self._overflow = warp.to_torch(data.subtree_com), warp.to_torch(data.overflow)
        self._contact = warp.to_torch(data.sensordata).view(self.num_worlds, -1, 3)
        self._initial = self._initial.float()
        self._refresh, self._take_steps = self._captured(self._kinematics), self._captured(self._physics_steps)

    def _kinematics(self) -> None:
        """The part of a physics step that depends on positions and velocities alone."""
        mujoco_warp.fwd_position(self._model, self._data)
        mujoco_warp.fwd_velocity(self._model, self._data)

    def _physics_steps(self) -> None:
        """From current kinematics to new positions and velocities, with the kinematics of the last step but one."""
        option, sensors_off = self._model.opt, int(mujoco_warp.DisableBit.SENSOR)
        for substep in range(SUBSTEPS):
            if substep:
                self._kinematics()
            # Contact forces are those of the last step: only it pays for sensors.
            if substep < SUBSTEPS - 1:
                option.disableflags |= sensors_off
            else:
                option.disableflags &= ~sensors_off
            mujoco_warp.step2(self._model, self._data)

    def _captured(self, work: Callable[[], None]) -> Callable[[], None]:
        """``work`` as one graph that is replayed on torch's stream; where that cannot be had, as plain calls."""

        def plain() -> None:
            with warp.ScopedDevice(self._warp_device), warp.ScopedStream(self._stream()):
                work()

        plain()  # compiles and loads every kernel, which should not happen while capturing
        obstacle = self._obstacle()
        if not obstacle:
            try:
                with warp.ScopedDevice(self._warp_device), warp.ScopedCapture() as capture:
                    work()
                return lambda: warp.capture_launch(capture.graph, stream=self._stream())
            except RuntimeError as error:
                obstacle = f"capturing it failed ({error}); update the driver and warp-lang"
        warnings.warn(
            f"physics on {self.device} runs without a captured graph, several times slower: {obstacle}.", stacklevel=2
        )
        return plain

    def _obstacle(self) -> str:
        """Why no graph can be captured and what to do about it; empty if nothing is in the way."""
        if self._warp_device.is_cuda and not warp.is_conditional_graph_supported():
            return "the driver is older than CUDA 12.4; update it"
        if self._warp_device.is_cuda and not warp.is_mempool_enabled(self._warp_device):
            return "the CUDA memory pool is off; switch it on (warp.set_mempool_enabled) or update the driver"
        return ""

    def _stream(self) -> warp.Stream | None:
        return warp.stream_from_torch(torch.cuda.current_stream(self.device)) if self._warp_device.is_cuda else None

    def _advance(self) -> None:
        self._take_steps()
        self._steps += 1
        if self._steps % _CHECK_PERIOD == 0:
            self._check_overflow()

    def _place(self, worlds: Int[Tensor, "n"], qpos: Float[Tensor, "n nq"], qvel: Float[Tensor, "n nv"]) -> None:
        self._qpos[worlds], self._qvel[worlds] = qpos, qvel
        self._warmstart.index_fill_(0, worlds, 0.0)
        self._contact.index_fill_(0, worlds, 0.0)
        self._refresh()

    def _put_back(self, lost: Bool[Tensor, "world"]) -> None:
        self._qpos.copy_(torch.where(lost[:, None], self._initial, self._qpos))
        self._qvel.masked_fill_(lost[:, None], 0.0)
        self._warmstart.masked_fill_(lost[:, None], 0.0)
        self._contact.masked_fill_(lost[:, None, None], 0.0)
        self._refresh()

    def _check_overflow(self) -> None:
        flags = self._overflow & int(_OVERFLOWS)
        if not flags.any():
            return
        names = [flag.name for flag in mujoco_warp.OverflowType if flag & _OVERFLOWS and (flags & int(flag)).any()]
        warnings.warn(
            f"{int((flags != 0).sum())} of {self.num_worlds} worlds had more contacts than there is room for "
            f"({', '.join(map(str, names))}), so some were left out: raise contacts (now {self._contacts} per world) "
            f"or constraints (now {self._constraints}) of MujocoGpu.",
            stacklevel=2,
        )
        self._overflow.zero_()
