"""Plain C MuJoCo, one MjData for each world, and states and targets to start from."""

import mujoco
import numpy as np
import torch

from anyskill.body.model import build_model
from anyskill.sim.engine import SUBSTEPS, Engine

NV, DOF, BODIES = 34, 28, 15


def random_states(count: int, seed: int, height: float = 0.95) -> tuple[torch.Tensor, torch.Tensor]:
    """Random poses and velocities a little above the ground, float64."""
    generator = torch.Generator().manual_seed(seed)
    model = build_model()
    qpos = torch.from_numpy(model.qpos0).repeat(count, 1)
    qpos += 0.15 * torch.randn(qpos.shape, generator=generator, dtype=torch.float64)
    qpos[:, 2] = height
    qpos = torch.stack([normalized(model, row) for row in qpos])
    return qpos, torch.randn(count, model.nv, generator=generator, dtype=torch.float64)


def normalized(model: mujoco.MjModel, qpos: torch.Tensor) -> torch.Tensor:
    array = qpos.numpy().copy()
    mujoco.mj_normalizeQuat(model, array)
    return torch.from_numpy(array)


def random_targets(worlds: int, steps: int, seed: int = 0, scale: float = 0.3) -> torch.Tensor:
    return scale * torch.randn(steps, worlds, DOF, generator=torch.Generator().manual_seed(seed))


class Oracle:
    """Worlds as a list of MjData, each stepped by ``mj_step``."""

    def __init__(self, qpos: torch.Tensor, qvel: torch.Tensor) -> None:
        self.model = build_model()
        self.worlds = []
        for q, v in zip(qpos, qvel, strict=True):
            data = mujoco.MjData(self.model)
            data.qpos, data.qvel = q.numpy(), v.numpy()
            self.worlds.append(data)
        self.forward()

    def forward(self) -> None:
        for data in self.worlds:
            mujoco.mj_forward(self.model, data)

    def step(self, targets: torch.Tensor) -> None:
        self.contact = np.zeros((len(self.worlds), BODIES, 3))
        self.boxes_met = np.zeros(len(self.worlds), dtype=bool)
        for world, data in enumerate(self.worlds):
            data.ctrl = targets[world].numpy()
            for _ in range(SUBSTEPS):
                mujoco.mj_step(self.model, data)
                types = self.model.geom_type[data.contact.geom]
                self.boxes_met[world] |= (types == mujoco.mjtGeom.mjGEOM_BOX).all(-1).any()
            self.contact[world] = self.contact_forces(data)
            # Poses and velocities of the new state; the solver's warm start is left alone.
            mujoco.mj_fwdPosition(self.model, data)
            mujoco.mj_fwdVelocity(self.model, data)

    def contact_forces(self, data: mujoco.MjData) -> np.ndarray:
        """Net force on every body from the contact list, without the sensors that engines use."""
        net, wrench = np.zeros((BODIES + 1, 3)), np.zeros(6)
        for number in range(data.ncon):
            contact = data.contact[number]
            mujoco.mj_contactForce(self.model, data, number, wrench)
            force = contact.frame.reshape(3, 3).T @ wrench[:3]
            first, second = self.model.geom_bodyid[contact.geom]
            net[first] -= force
            net[second] += force
        return net[1:]

    def velocities(self) -> np.ndarray:
        """Angular and linear velocity of body frames in the world frame, (world, body, 6)."""
        result, out = np.zeros((len(self.worlds), BODIES, 6)), np.zeros(6)
        for world, data in enumerate(self.worlds):
            for body in range(BODIES):
                mujoco.mj_objectVelocity(self.model, data, mujoco.mjtObj.mjOBJ_XBODY, body + 1, out, 0)
                result[world, body] = out
        return result

    def differences(self, engine: Engine, worlds: np.ndarray | slice = slice(None)) -> dict[str, float]:
        """Largest distance, over some worlds, of each field of the engine's state from this one."""
        state, velocities = engine.state(), self.velocities()
        rotations = np.stack([data.xquat[1:] for data in self.worlds])
        pairs = {
            "positions": (state.positions, np.stack([data.xpos[1:] for data in self.worlds])),
            "rotations": (state.rotations, rotations),
            "linear": (state.linear_velocities, velocities[..., 3:]),
            "angular": (state.angular_velocities, velocities[..., :3]),
        }
        return {name: float(np.abs(ours.numpy() - theirs)[worlds].max()) for name, (ours, theirs) in pairs.items()}
