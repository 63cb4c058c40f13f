"""When a body counts as fallen, and states to get up from."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.skeleton import Skeleton
from anyskill.body.state import BodyState
from anyskill.sim.engine import CONTROL_RATE, Engine

CONTACT = 0.1  # N, in any component
STANDING = 0.7  # m; a body whose pelvis is higher stands
STOOD = CONTROL_RATE // 2  # control steps; a body that keeps standing so long has stood up


@dataclass(frozen=True)
class FallRule:
    """Fallen: a body other than the feet touches something, and a body other than the feet is low.

    AMP's rule; heights are those of body frames, and the head's frame is the neck joint, 17.5 cm below its centre.
    """

    height: float = 0.15
    """Of any body but the feet (m)."""
    head_height: float = 0.30
    """Of the head (m): 0.30 in ASE and CALM, 0.15 in AnySkill."""

    def __call__(self, state: BodyState, skeleton: Skeleton) -> Bool[Tensor, "world"]:
        """Which worlds have fallen."""
        touching = (state.contact_forces[:, _others(skeleton)].abs() > CONTACT).flatten(1).any(1)
        return touching & self.low(state, skeleton)

    def low(self, state: BodyState, skeleton: Skeleton) -> Bool[Tensor, "world"]:
        """Which are low enough to have fallen, touching or not.

        For frames of clips, which know no forces: where a clip's hand just misses the ground, a body's will not.
        """
        others = _others(skeleton)
        limits = state.positions.new_full((skeleton.num_bodies,), self.height)
        limits[skeleton.index("head")] = max(self.head_height, self.height)
        return (state.positions[:, others, 2] < limits[others]).any(1)


def _others(skeleton: Skeleton) -> list[int]:
    """All bodies but the feet."""
    return [body for body in range(skeleton.num_bodies) if body not in skeleton.contact_bodies]


def fall_bank(
    engine: Engine, generator: torch.Generator, seconds: float = 2.5
) -> tuple[Float[Tensor, "world nq"], Float[Tensor, "world nv"]]:
    """States of bodies that have dropped to the ground and come to rest, one for each world of ``engine``.

    Each starts at the initial height in a random orientation and falls for ``seconds`` while its motors hold one
    random pose: a PD target from actions uniform in ±0.5 (ASE's get-up task). Velocities are zero.
    """
    skeleton, n = engine.skeleton, engine.num_worlds
    root = rotation.normalize(torch.randn(n, 4, generator=generator, device=generator.device).cpu())
    qpos = skeleton.initial_qpos.float().repeat(n, 1)
    qpos[:, 3:7] = root
    still = torch.zeros(n, 6 + skeleton.num_dof, device=engine.device)
    engine.reset(torch.arange(n, device=engine.device), qpos.to(engine.device), still)
    action = torch.rand(n, skeleton.num_dof, generator=generator, device=generator.device).cpu() - 0.5
    targets = (skeleton.action_offset + skeleton.action_scale * action).float().to(engine.device)
    for _ in range(round(seconds * CONTROL_RATE)):
        engine.step(targets)
    return engine.state().qpos(skeleton), still
