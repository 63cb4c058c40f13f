"""Facts about single arms and legs and pairs of feet, as margins; see ``posture`` for how they are written.

All are sided but those of the feet. That both arms or both legs do the same is a fact of its own, made from these.
"""

from math import radians as deg

import torch
from torch import Tensor

from anyskill.vision_language.bodyclip.margins import above, below, between, both, certain, either, every, swapped
from anyskill.vision_language.bodyclip.measures import Measures

# Places (forward, outward, up; m) where the centre of a hand is that touches the head (from its centre), the torso or
# the pelvis, in their frames.
_FACE, _MOUTH, _EAR, _BROW = (0.13, 0.02, 0.0), (0.12, 0.02, -0.08), (0.0, 0.14, -0.01), (0.1, 0.1, 0.045)
_CROWN, _NAPE = (0.02, 0.05, 0.135), (-0.12, 0.06, 0.0)
_CHEST, _BELLY, _HIP, _BACK = (0.16, 0.0, 0.13), (0.14, 0.0, 0.16), (0.02, 0.16, 0.11), (-0.17, 0.03, 0.1)


def _near(hand: Tensor, place: tuple[float, float, float], reach: float, width: float = 0.07) -> Tensor:
    """A hand (in the frame of the place) is within ``reach`` (m) of a place."""
    return below((hand - hand.new_tensor(place)).norm(dim=-1), reach, width)


def arm_facts(m: Measures) -> dict[str, Tensor]:
    """Where an arm points, and how it is bent."""
    forward, outward, up = torch.nn.functional.normalize(m.hand, dim=-1).unbind(-1)
    height = m.hand[..., 2]
    stretched, soft = below(m.elbow, deg(55), deg(25)), below(m.elbow, deg(75), deg(20))
    upper_down = below(m.upper_arm[..., 2], -0.6, 0.25)
    # An arm that points down to the ground may carry the body.
    seated = every(below(m.pelvis_height, 0.3, 0.1), above(m.torso_up, 0.6, 0.2))
    rested = either(certain(m.lying, up.dtype), seated)[..., None]
    loose = either(above(m.hand_height, 0.12, 0.06), rested)
    hooked = between(m.elbow, deg(50), deg(125), deg(18))
    return {
        "arm_overhead": above(height, 0.29, 0.12),
        "arm_straight_up": every(above(up, 0.9, 0.12), below(m.elbow, deg(40), deg(20))),
        "arm_raised": above(height, 0.1, 0.14),
        "arm_to_side": every(above(outward, 0.82, 0.16), below(up.abs(), 0.38, 0.2), stretched),
        "arm_up_to_side": every(between(outward, 0.36, 0.85, 0.14), between(up, 0.4, 0.92, 0.14), stretched),
        "arm_down_to_side": every(between(outward, 0.36, 0.8, 0.14), below(up, -0.45, 0.2), stretched),
        "arm_forward": every(above(forward, 0.82, 0.16), below(up.abs(), 0.4, 0.2), stretched),
        "arm_up_forward": every(between(forward, 0.38, 0.85, 0.14), between(up, 0.4, 0.92, 0.14), stretched),
        "arm_down_forward": every(between(forward, 0.4, 0.85, 0.14), below(up, -0.45, 0.2), stretched),
        "arm_out_forward": every(
            between(outward, 0.42, 0.85, 0.14), between(forward, 0.42, 0.85, 0.14), below(up.abs(), 0.4, 0.2), stretched
        ),
        "arm_back": every(below(forward, -0.38, 0.2), below(up, 0.2, 0.25), soft),
        "arm_hanging": every(below(up, -0.9, 0.14), below(m.elbow, deg(45), deg(20)), loose),
        "arm_across": every(
            below(m.hand_torso[..., 1], -0.03, 0.08),
            above(m.hand_torso[..., 0], 0.06, 0.06),
            between(m.hand_torso[..., 2], -0.12, 0.36, 0.1),
        ),
        "forearm_up": every(hooked, above(m.forearm[..., 2], 0.75, 0.2), above(m.upper_arm[..., 2], -0.75, 0.2)),
        "forearm_forward": every(hooked, above(m.forearm[..., 0], 0.75, 0.2), upper_down),
        "elbow_raised": every(above(m.upper_arm[..., 2], -0.25, 0.25), above(m.elbow, deg(60), deg(20))),
        "elbow_straight": below(m.elbow, deg(20), deg(15)),
        "elbow_bent": above(m.elbow, deg(55), deg(20)),
        "elbow_folded": above(m.elbow, deg(115), deg(20)),
    }


def hand_facts(m: Measures) -> dict[str, Tensor]:
    """What a hand is at."""
    bent = above(m.elbow, deg(35), deg(20))
    free = above(m.hand_gap, 0.16, 0.05)[..., None]
    return {
        "hand_on_hip": every(_near(m.hand_pelvis, _HIP, 0.1), above(m.elbow, deg(40), deg(15))),
        "hand_on_chest": every(_near(m.hand_torso, _CHEST, 0.12), bent, free),
        "hand_on_belly": every(_near(m.hand_pelvis, _BELLY, 0.1), bent, free),
        "hand_at_face": _near(m.hand_head, _FACE, 0.125),
        "hand_at_mouth": _near(m.hand_head, _MOUTH, 0.085),
        "hand_at_ear": _near(m.hand_head, _EAR, 0.085),
        "hand_at_brow": every(
            _near(m.hand_head, _BROW, 0.065),
            above(m.hand_head[..., 1], 0.06, 0.03),
            above(m.upper_arm[..., 2], -0.65, 0.2),
        ),
        "hand_on_head": _near(m.hand_head, _CROWN, 0.09),
        "hand_behind_head": _near(m.hand_head, _NAPE, 0.1),
        "hand_near_head": below(m.hand_head.norm(dim=-1), 0.22, 0.08),
        "hand_behind_back": every(
            below(m.hand_pelvis[..., 0], -0.07, 0.06),
            below(m.hand_pelvis[..., 1].abs(), 0.16, 0.06),
            between(m.hand_pelvis[..., 2], -0.05, 0.5, 0.1),
        ),
        "hand_on_own_shoulder": below(m.hand_shoulder, 0.15, 0.06),
        "hand_on_other_shoulder": below(m.hand_other_shoulder, 0.16, 0.08),
        "hand_on_knee": every(below(m.hand_knee, 0.16, 0.1), above(m.hand_height, 0.12, 0.05)),
        "hand_on_foot": below(m.hand_foot, 0.16, 0.1),
        "hand_on_ground": below(m.hand_height, 0.1, 0.08),
        "hand_near_ground": below(m.hand_height, 0.28, 0.12),
    }


def leg_facts(m: Measures) -> dict[str, Tensor]:
    """Where a leg points and how it is bent; a leg in the air only of somebody who is up."""
    forward, outward, rise = m.leg.unbind(-1)
    up = every(above(m.pelvis_height, 0.5, 0.1), certain(~m.lying, m.pitch.dtype))[..., None]
    lifted = every(above(m.foot_height, 0.1, 0.07), up)
    straight = below(m.knee, deg(48), deg(20))
    low = below(m.pelvis_height, 0.35, 0.1)[..., None]
    return {
        "leg_straight": below(m.knee, deg(20), deg(14)),
        "knee_bent": above(m.knee, deg(40), deg(18)),
        "knee_folded": above(m.knee, deg(105), deg(20)),
        "foot_off_ground": lifted,
        "knee_raised": every(above(m.thigh[..., 0], 0.5, 0.2), above(m.knee, deg(42), deg(20)), lifted),
        "knee_raised_high": every(
            above(m.thigh[..., 2], -0.25, 0.25),
            above(m.thigh[..., 0], 0.4, 0.2),
            lifted,
            above(m.knee, deg(42), deg(20)),
        ),
        "leg_raised_forward": every(above(forward, 0.42, 0.2), straight, lifted),
        "leg_raised_high_forward": every(above(forward, 0.4, 0.2), above(rise, -0.4, 0.25), straight, lifted),
        "leg_raised_sideways": every(above(outward, 0.38, 0.18), below(forward.abs(), 0.6, 0.2), straight, lifted),
        "leg_raised_back": every(
            below(forward, -0.35, 0.2),
            below(forward - swapped(forward), -0.3, 0.2),
            below(m.knee, deg(80), deg(20)),
            lifted,
        ),
        "heel_raised_behind": every(above(m.knee, deg(70), deg(20)), below(m.thigh[..., 2], -0.65, 0.2), lifted),
        "foot_at_other_knee": every(below(m.foot_other_knee, 0.22, 0.09), above(m.knee, deg(65), deg(20)), lifted),
        "leg_pointing_up": every(above(m.leg_rise, 0.55, 0.3), straight, low),
        "knee_drawn_up": every(above(m.thigh[..., 0], 0.6, 0.25), above(m.knee, deg(60), deg(20)), low),
    }


def feet_facts(m: Measures) -> dict[str, Tensor]:
    """How two feet stand that both stand."""
    fore, aside = m.foot[..., 0], m.foot[..., 1]
    stride, spread = fore - swapped(fore), aside.sum(-1)
    down = every(
        both(below(m.foot_height, 0.07, 0.05)),
        above(m.pelvis_height, 0.3, 0.1),
        below(m.clearance, 0.06, 0.04),
        both(below(m.leg[..., 2], -0.45, 0.2)),
        both(above(m.knee_height, 0.1, 0.05)),
    )
    level = below(stride.abs().amax(-1), 0.14, 0.08)
    return {
        "feet_together": every(below(spread, 0.15, 0.07), level, down),
        "feet_hip_width": every(between(spread, 0.15, 0.28, 0.07), level, down),
        "feet_apart": every(above(spread, 0.34, 0.1), down),
        "feet_wide_apart": every(above(spread, 0.58, 0.14), down),
        "feet_crossed": every(below(spread, -0.02, 0.07), down),
        "foot_ahead": every(above(stride, 0.18, 0.1), below(stride, 0.55, 0.15), down[..., None]),
        "foot_far_ahead": every(above(stride, 0.48, 0.15), down[..., None]),
    }


def pair_facts(m: Measures) -> dict[str, Tensor]:
    """What two hands do with each other."""
    together = below(m.hand_gap, 0.14, 0.08)
    x, z = m.hand_torso[..., 0].mean(-1), m.hand_torso[..., 2].mean(-1)
    return {
        "hands_together": together,
        "hands_together_at_chest": every(together, between(x, 0.1, 0.45, 0.06), between(z, 0.02, 0.32, 0.08)),
        "hands_together_low": every(together, below(z, -0.05, 0.08), above(x, 0.04, 0.06)),
        "hands_together_overhead": every(together, both(above(m.hand[..., 2], 0.25, 0.12))),
        "hands_together_behind_back": every(below(m.hand_gap, 0.2, 0.08), below(x, -0.08, 0.06), below(z, 0.2, 0.1)),
        "arms_crossed": every(
            both(below(m.hand_torso[..., 1], -0.02, 0.07)),
            both(between(m.hand_torso[..., 0], 0.06, 0.27, 0.05)),
            both(between(m.hand_torso[..., 2], -0.12, 0.36, 0.1)),
            both(above(m.elbow, deg(55), deg(20))),
        ),
        "arms_crossed_overhead": every(
            both(below(m.hand_torso[..., 1], 0.0, 0.08)), both(above(m.hand[..., 2], 0.2, 0.12))
        ),
    }
