"""Facts about one thing near the body, as margins: where it is, what touches it, whether it carries the body."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import Geom
from anyskill.body.state import BodyState
from anyskill.sim.scene import SceneObject
from anyskill.vision_language.bodyclip.margins import above, below, between, both, certain, every
from anyskill.vision_language.bodyclip.measures import ANKLES, HANDS, HEEL, PELVIS, TOE, Measures, level_frame
from anyskill.vision_language.model import VisionLanguageError

KINDS = ("ball", "box", "chair", "door", "pillar")
"""What a thing can be called."""
_SEAT = (0.0, 0.0, -0.1)  # m, from the pelvis, in the world: where something that carries a sitting body is touched


@dataclass(frozen=True)
class Thing:
    """An object of the scene, the same for all states, and where it is in each.

    Raises:
        VisionLanguageError: There is no word for it, or it has other shapes than spheres and boxes.
    """

    item: SceneObject
    positions: Float[Tensor, "*batch 3"]  # m
    rotations: Float[Tensor, "*batch 4"]  # w x y z

    def __post_init__(self) -> None:
        if self.kind not in KINDS or any(geom.kind not in ("sphere", "box") for geom in self.item.geoms):
            raise VisionLanguageError(
                f"captions have no words for {self.item.name}; name it after what it is ({', '.join(KINDS)}), and make "
                "it of spheres and boxes."
            )

    @property
    def kind(self) -> str:
        """What people call it: its name; a projectile is a box."""
        name = self.item.name.rstrip("0123456789_")
        return "box" if name == "projectile" else name

    @property
    def centre(self) -> Float[Tensor, "*batch 3"]:
        """Middle of its shapes, in the world."""
        starts = self.positions.new_tensor([geom.start for geom in self.item.geoms])
        return self.positions + rotation.rotate(self.rotations, starts.mean(0).expand_as(self.positions))

    def bottom(self) -> Float[Tensor, "*batch"]:
        """Height of its lowest point."""
        rise = rotation.to_matrix(self.rotations)[..., 2, :]  # of its own axes
        lowest = []
        for geom in self.item.geoms:
            middle = (rise * rise.new_tensor(geom.start)).sum(-1)
            size = rise.new_tensor(geom.size)
            lowest.append(middle - (size[0] if geom.kind == "sphere" else (rise.abs() * size).sum(-1)))
        return self.positions[..., 2] + torch.stack(lowest).amin(0)

    def distance(self, points: Float[Tensor, "*batch point 3"]) -> Float[Tensor, "*batch point"]:
        """From its surface; below zero inside."""
        turn = self.rotations[..., None, :].expand(*points.shape[:-1], 4)
        local = rotation.rotate_inverse(turn, points - self.positions[..., None, :])
        return torch.stack([_distance(local, geom) for geom in self.item.geoms]).amin(0)


def thing_facts(m: Measures, state: BodyState, thing: Thing) -> dict[str, Tensor]:
    """What is true of the body and a thing; everything is denied of things of the other kinds, which are not there."""
    pelvis = state.positions[..., PELVIS, :]
    away = (level_frame(state.rotations[..., PELVIS, :]) @ (thing.centre - pelvis)[..., None])[..., :2, 0]
    forward, left = torch.nn.functional.normalize(away, dim=-1).unbind(-1)
    apart = above(away.norm(dim=-1), 0.25, 0.15)
    gap = thing.distance(state.positions).amin(-1)
    hand_on = below(thing.distance(state.positions[..., HANDS, :]), 0.07, 0.08)
    feet = state.rotations[..., ANKLES, :]
    soles = [
        thing.distance(state.positions[..., ANKLES, :] + rotation.rotate(feet, feet.new_tensor(end)))
        for end in (TOE, HEEL)
    ]
    seat = thing.distance((pelvis + pelvis.new_tensor(_SEAT))[..., None, :])[..., 0]
    loose = certain(torch.full_like(apart, thing.item.mobility == "free", dtype=torch.bool), apart.dtype)
    facts = {
        "near_thing": below(gap, 0.35, 0.3),
        "far_from_thing": above(gap, 1.5, 0.5),
        "thing_in_front": every(above(forward, 0.85, 0.2), apart),
        "thing_behind": every(below(forward, -0.85, 0.2), apart),
        "thing_beside": every(above(torch.stack((-left, left), -1), 0.85, 0.2), apart[..., None]),
        "hand_on_thing": hand_on,
        "foot_on_thing": below(torch.minimum(*soles), 0.07, 0.08),
        "hold_thing": every(both(hand_on), above(thing.bottom(), 0.15, 0.1), loose),
        "sit_on_thing": every(
            below(seat, 0.06, 0.08),
            between(m.pelvis_height, 0.2, 0.75, 0.1),
            both(above(m.thigh[..., 2], -0.6, 0.25)),
            above(m.torso_up, 0.5, 0.25),
        ),
    }
    return {
        name.replace("thing", kind): margin if kind == thing.kind else torch.full_like(margin, -1.0)
        for kind in KINDS
        for name, margin in facts.items()
    }


def _distance(points: Float[Tensor, "*batch 3"], geom: Geom) -> Float[Tensor, "*batch"]:
    """From the surface of one shape, in its object's frame."""
    offset = points - points.new_tensor(geom.start)
    if geom.kind == "sphere":
        return offset.norm(dim=-1) - geom.size[0]
    beyond = offset.abs() - points.new_tensor(geom.size)
    return beyond.clamp_min(0).norm(dim=-1) + beyond.amax(-1).clamp_max(0)
