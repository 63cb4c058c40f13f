"""Facts about the whole body, the trunk and the head, as margins.

Every function maps measures to named margins. A name alone is a fact about the body, shape ``(*batch,)``; a sided fact,
shape ``(*batch, 2)``, is told of the right and of the left: ``kneel_on_one_knee`` of the side whose knee is down.
Thresholds are written in metres and degrees, each with the width beyond it at which everybody would agree.
"""

from math import radians as deg

from torch import Tensor

from anyskill.vision_language.bodyclip.margins import above, below, between, both, certain, either, every, swapped
from anyskill.vision_language.bodyclip.measures import Measures


def body_facts(m: Measures) -> dict[str, Tensor]:
    """Standing, sitting, kneeling, lying and the like."""
    foot_down = below(m.foot_height, 0.06, 0.05)
    knee_down = below(m.knee_height, 0.08, 0.07)
    hands_down = both(below(m.hand_height, 0.12, 0.1))
    erect, level = above(m.torso_up, 0.6, 0.25), below(m.torso_up.abs(), 0.55, 0.2)
    grounded = below(m.clearance, 0.06, 0.04)
    low = every(below(m.pelvis_height, 0.26, 0.08), below(m.torso_height, 0.38, 0.12), grounded)
    knees_up = both(above(m.knee_height, 0.12, 0.06))
    standing = every(
        above(m.pelvis_height, 0.7, 0.12),
        either(*foot_down.unbind(-1)),
        either(above(m.torso_up, -0.2, 0.2), both(foot_down)),
    )
    on_feet = every(both(foot_down), above(m.torso_up, -0.2, 0.3), above(m.pitch, deg(-25), deg(15)), knees_up)
    seated = every(below(m.pelvis_height, 0.2, 0.1), erect, grounded)
    on_heels = every(
        both(knee_down),
        between(m.pelvis_height, 0.08, 0.33, 0.06),
        both(above(m.knee, deg(110), deg(25))),
        both(below(m.foot[..., 0], 0.12, 0.06)),
    )
    kneeling = every(erect, above(m.pelvis_height, 0.33, 0.08), grounded)
    face_down, face_up = below(m.chest_up, -0.55, 0.3), above(m.chest_up, 0.55, 0.3)
    fore, aside = m.foot[..., 0], m.foot[..., 1]
    stride, spread = fore - swapped(fore), aside.sum(-1)
    side_by_side = below(stride.abs().amax(-1), 0.32, 0.12)
    legs_straight = both(below(m.knee, deg(30), deg(20)))
    lunging = every(between(m.pelvis_height, 0.38, 0.78, 0.08), above(m.torso_up, 0.4, 0.3))
    flat = below(m.foot_height, 0.08, 0.06)
    return {
        "stand": standing,
        "stand_straight": every(
            standing,
            both(foot_down),
            both(below(m.knee, deg(22), deg(20))),
            above(m.torso_up, 0.97, 0.08),
            side_by_side,
        ),
        "stand_on_tiptoes": every(
            standing, both(above(m.heel_height, 0.06, 0.04)), both(foot_down), both(below(m.knee, deg(45), deg(20)))
        ),
        "stand_on_one_leg": every(
            foot_down,
            swapped(above(m.foot_height, 0.1, 0.07)),
            above(m.pelvis_height, 0.55, 0.12)[..., None],
            above(m.torso_up, -0.35, 0.2)[..., None],
            swapped(above(m.knee_height, 0.15, 0.1)),
        ),
        "bend_knees_slightly": every(on_feet, both(between(m.knee, deg(27), deg(62), deg(14))), standing),
        "squat_halfway": every(
            on_feet, side_by_side, both(above(m.knee, deg(58), deg(20))), between(m.pelvis_height, 0.46, 0.74, 0.1)
        ),
        "crouch": every(
            on_feet,
            both(above(m.knee, deg(95), deg(25))),
            between(m.pelvis_height, 0.14, 0.46, 0.08),
            below(fore.amax(-1), 0.32, 0.06),
        ),
        "lunge": every(
            above(stride, 0.4, 0.15),
            above(m.knee, deg(45), deg(20)),
            flat,
            swapped(flat),
            swapped(above(m.knee_height, 0.1, 0.08)),
            lunging[..., None],
        ),
        "side_lunge": every(
            above(spread, 0.58, 0.2)[..., None],
            above(m.knee, deg(42), deg(20)),
            above(m.knee - swapped(m.knee), deg(18), deg(12)),
            above(swapped(aside) - aside, 0.12, 0.1),
            below(stride.abs(), 0.35, 0.2),
            both(flat)[..., None],
            lunging[..., None],
        ),
        "sit_on_ground": every(seated, above(fore.amax(-1), 0.15, 0.06)),
        "sit_with_legs_stretched": every(seated, legs_straight),
        "sit_cross_legged": every(
            seated,
            both(above(fore, 0.12, 0.06)),
            both(above(m.knee, deg(75), deg(25))),
            below(m.knee_height.amax(-1), 0.3, 0.1),
            below(spread, 0.15, 0.2),
        ),
        "sit_with_knees_up": every(
            seated, both(above(m.knee, deg(60), deg(25))), both(above(m.knee_height, 0.32, 0.1))
        ),
        "sit_on_heels": every(on_heels, erect, grounded),
        "kneel": every(both(knee_down), kneeling),
        "kneel_on_one_knee": every(
            knee_down,
            swapped(above(m.knee_height, 0.25, 0.12)),
            swapped(foot_down),
            kneeling[..., None],
        ),
        "on_all_fours": every(
            hands_down, both(knee_down), above(m.pelvis_height, 0.28, 0.1), below(m.torso_up, 0.6, 0.2), face_down
        ),
        "plank": every(
            hands_down,
            legs_straight,
            between(m.pelvis_height, 0.15, 0.55, 0.08),
            level,
            face_down,
            both(above(m.knee_height, 0.06, 0.05)),
        ),
        "hands_and_feet_on_ground": every(
            hands_down,
            both(foot_down),
            above(m.pelvis_height, 0.45, 0.12),
            knees_up,
            below(m.torso_up, 0.5, 0.2),
            below(m.chest_up, 0.2, 0.3),
            both(above(m.hand_foot, 0.35, 0.12)),
        ),
        "bridge": every(hands_down, both(foot_down), above(m.pelvis_height, 0.25, 0.1), face_up, level),
        "lie": every(low, level, either(face_up, face_down, *above(m.side_up, 0.6, 0.3).unbind(-1))),
        "lie_on_back": every(low, level, face_up),
        "lie_on_front": every(low, level, face_down),
        "lie_on_side": every(swapped(above(m.side_up, 0.65, 0.3)), every(low, level)[..., None]),
        "upside_down": every(below(m.torso_up, -0.5, 0.4), both(above(m.foot_height, 0.3, 0.15))),
        "handstand": every(below(m.torso_up, -0.6, 0.3), hands_down, both(above(m.foot_height, 0.8, 0.4))),
        "in_the_air": above(m.clearance, 0.07, 0.05),
    }


def trunk_facts(m: Measures) -> dict[str, Tensor]:
    """Bent, leaning or twisted; the spine against the vertical, so told only of bodies that legs or seat carry."""
    carried = every(below(m.pelvis_height, 0.65, 0.1), below(m.hand_height.amin(-1), 0.1, 0.05))  # by the hands, too
    up = every(certain(~m.lying, m.pitch.dtype), -carried)
    sideways, turned = m.roll, m.twist
    no_roll, no_pitch = below(sideways.abs().amax(-1), deg(9), deg(6)), below(m.pitch.abs(), deg(12), deg(8))
    steep = below(m.pitch.abs(), deg(60), deg(20))[..., None]
    return {
        "upright": every(no_roll, no_pitch, up),
        "lean_forward": every(between(m.pitch, deg(15), deg(40), deg(10)), up),
        "bend_forward": every(between(m.pitch, deg(36), deg(72), deg(14)), up),
        "bend_forward_deeply": every(above(m.pitch, deg(66), deg(22)), below(m.pitch, deg(170), deg(20)), up),
        "lean_back": every(between(m.pitch, deg(-85), deg(-13), deg(10)), up),
        "lean_sideways": every(between(sideways, deg(10), deg(26), deg(9)), steep, up[..., None]),
        "bend_sideways": every(above(sideways, deg(22), deg(12)), steep, up[..., None]),
        "twist": every(above(turned, deg(18), deg(12)), up[..., None]),
    }


def head_facts(m: Measures) -> dict[str, Tensor]:
    """Where the face looks; up and down against the horizon, left and right against the chest."""
    up = certain(~m.lying, m.pitch.dtype)
    turned = m.head_turn.abs().amax(-1)
    return {
        "look_ahead": every(
            below(turned, deg(12), deg(8)),
            between(m.gaze, deg(-15), deg(13), deg(8)),
            up,
            above(m.torso_up, 0.5, 0.3),
            below(m.head_tilt.abs().amax(-1), deg(12), deg(8)),
        ),
        "look_up": every(above(m.gaze, deg(18), deg(12)), up),
        "look_down": every(below(m.gaze, deg(-22), deg(12)), up),
        "look_sideways": above(m.head_turn, deg(22), deg(14)),
        "tilt_head": above(m.head_tilt, deg(14), deg(9)),
    }
