"""What is wrong with a clip, in numbers."""

from dataclasses import asdict, dataclass

import mujoco
import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import Character
from anyskill.body.skeleton import Skeleton, skeleton_of
from anyskill.motion.clip import Clip
from anyskill.motion.contact import contact_points, place
from anyskill.motion.ground import flight_of, model_of

TOLERANCE = 0.02  # m of floating or penetration that physics forgives
_TOUCHING = 0.01  # m; a corner of a sole lower than this touches the ground


@dataclass(frozen=True)
class Check:
    """Measurements of a clip; all are 0 in a perfect one but for the jerk of the motion itself."""

    name: str
    duration: float
    """Seconds."""
    fps: float
    flight: float
    """Share of frames in ballistic flight."""
    floating: float
    """Greatest height (m) of the body's lowest point above the ground in frames that are not in ballistic flight."""
    penetration: float
    """Greatest depth (m) of any collision shape below the ground."""
    sliding: float
    """Mean horizontal speed (m/s) of the steadiest sole corner on the ground: a body stands on something that stays."""
    jerk: float
    """Mean over frames and bodies of the third derivative of position (m/s³)."""
    beyond_limits: float
    """Largest excess (degrees) over a hinge's range or a ball joint's cone, which is what the simulator enforces."""
    self_collision: float
    """Greatest depth (m) to which bodies that are not neighbours are inside each other."""

    @property
    def grounded(self) -> bool:
        """Whether floating and penetration are within what physics forgives."""
        return self.floating <= TOLERANCE and self.penetration <= TOLERANCE

    def as_dict(self) -> dict[str, str | float]:
        """All measurements by name."""
        return asdict(self)


def check(clip: Clip) -> Check:
    """Measure a clip."""
    skeleton = skeleton_of(clip.character)
    positions, rotations = skeleton.forward(clip.root_positions, clip.rotations)
    height, flight = flight_of(clip.character, positions, rotations, clip.fps)
    return Check(
        clip.name,
        clip.duration,
        clip.fps,
        float(flight.double().mean()),
        float(torch.where(flight, 0.0, height).amax().clamp_min(0.0)),
        penetration(height),
        sliding(clip.character, positions, rotations, clip.fps),
        jerk(positions, clip.fps),
        _beyond_limits(skeleton, clip.rotations),
        _self_collision(clip.character, skeleton.qpos(clip.root_positions, clip.rotations)),
    )


def penetration(height: Float[Tensor, "frame"]) -> float:
    """``Check.penetration`` (m) of a motion whose lowest point is at a height (m)."""
    return float((-height).amax().clamp_min(0.0))


def jerk(positions: Float[Tensor, "frame body 3"], fps: float) -> float:
    """``Check.jerk`` (m/s³) of a motion; 0 of one that is too short to have any."""
    return float((positions.diff(n=3, dim=0) * fps**3).norm(dim=-1).mean()) if len(positions) > 3 else 0.0


def sliding(
    character: Character,
    positions: Float[Tensor, "frame body 3"],
    rotations: Float[Tensor, "frame body 4"],
    fps: float,
) -> float:
    """``Check.sliding`` (m/s) of a motion; 0 of one that never stands."""
    feet = [points for points in contact_points(character) if len(points.local) > 1]
    places = torch.cat([place(points, positions, rotations) for points in feet], 1)
    touching = torch.maximum(places[1:, :, 2], places[:-1, :, 2]) < _TOUCHING
    speed = places[..., :2].diff(dim=0).norm(dim=-1) * fps
    steadiest = torch.where(touching, speed, torch.inf).amin(-1)[touching.any(-1)]
    return float(steadiest.mean()) if len(steadiest) else 0.0


def _beyond_limits(skeleton: Skeleton, local: Float[Tensor, "frame body 4"]) -> float:
    worst = torch.zeros((), dtype=torch.float64)
    dofs = skeleton.dofs_from_rotations(local)
    for body, slot in skeleton.dof_slices.items():
        limits, values = skeleton.limits[slot], dofs[:, slot]
        if skeleton.joints[body].kind == "hinge":
            excess = torch.maximum(values - limits[:, 1], limits[:, 0] - values)
            # Whatever a hinge's rotation holds besides its turn about y is against its nature as well.
            rest = rotation.multiply(
                rotation.conjugate(rotation.from_rotation_vector(torch.nn.functional.pad(values, (1, 1)))),
                local[:, body],
            )
            excess = torch.maximum(excess[:, 0], rotation.to_rotation_vector(rest).norm(dim=-1))
        else:
            excess = values.norm(dim=-1) - limits.abs().max()
        worst = torch.maximum(worst, excess.max())
    return float(torch.rad2deg(worst))


def _self_collision(character: Character, qpos: Float[Tensor, "frame nq"]) -> float:
    model = model_of(character)
    data = mujoco.MjData(model)
    deepest = 0.0
    for pose in qpos.numpy():
        data.qpos[:] = pose
        mujoco.mj_kinematics(model, data)
        mujoco.mj_collision(model, data)
        bodies = model.geom_bodyid[data.contact.geom]
        apart = data.contact.dist[(bodies > 0).all(-1)] if data.ncon else ()
        deepest = max(deepest, -min(apart, default=0.0))
    return float(deepest)
