"""Poses that people have a name for, as margins, made from simpler facts; see ``posture`` for how they are written."""

from math import radians as deg

from torch import Tensor

from anyskill.vision_language.bodyclip.margins import above, below, between, both, certain, either, every, swapped
from anyskill.vision_language.bodyclip.measures import Measures


def gesture_facts(m: Measures, known: dict[str, Tensor]) -> dict[str, Tensor]:
    """Gestures and exercises.

    Args:
        m: The measures.
        known: The facts of ``posture`` and ``limbs``.
    """

    def all_of(*names: str) -> Tensor:
        return every(*(both(known[name]) if known[name].ndim > known["stand"].ndim else known[name] for name in names))

    up = certain(~m.lying, m.pitch.dtype)
    forward, outward, height = m.hand.unbind(-1)
    straight, lax = below(m.elbow, deg(35), deg(20)), below(m.elbow, deg(60), deg(20))
    upper_out = every(above(m.upper_arm[..., 1], 0.55, 0.2), above(m.upper_arm[..., 2], -0.5, 0.25))
    aside = either(known["arm_to_side"], known["arm_down_to_side"], known["arm_hanging"])
    idle = swapped(either(known["arm_hanging"], known["hand_on_hip"], known["arm_down_to_side"]))
    crooked = either(known["elbow_bent"], known["arm_hanging"])
    in_front = every(above(forward, 0.18, 0.08), below(height.abs(), 0.25, 0.1))
    fists_high = every(above(m.hand_torso[..., 0], 0.1, 0.06), between(m.hand_torso[..., 2], 0.16, 0.5, 0.08))
    guard = every(fists_high, above(m.elbow, deg(95), deg(20)), below(m.upper_arm[..., 2], -0.45, 0.25))
    leg_lifted = either(known["leg_raised_back"], known["leg_raised_sideways"], known["leg_raised_forward"])
    return {
        "t_pose": all_of("arm_to_side", "upright"),
        "surrender": every(
            both(above(height, 0.08, 0.12)),
            both(known["forearm_up"]),
            both(upper_out),
            both(below(m.elbow, deg(112), deg(15))),
        ),
        "victory": every(all_of("arm_up_to_side"), both(straight)),
        "hug": every(
            up,
            both(between(outward, 0.06, 0.45, 0.08)),
            both(above(forward, 0.22, 0.1)),
            both(between(height, -0.25, 0.2, 0.1)),
            both(lax),
            above(m.hand_gap, 0.5, 0.15),
        ),
        "embrace": every(
            up,
            both(known["arm_across"]),
            both(above(m.hand_torso[..., 0], 0.24, 0.06)),
            both(between(m.hand_torso[..., 2], 0.0, 0.36, 0.08)),
        ),
        "pray": every(known["hands_together_at_chest"], both(above(m.elbow, deg(75), deg(20)))),
        "salute": every(known["hand_at_brow"], idle),
        "phone": every(known["hand_at_ear"], idle, above(m.elbow, deg(95), deg(20))),
        "think": every(known["hand_at_mouth"], swapped(below(known["hand_near_head"], -0.2, 0.3))),
        "cover_face": all_of("hand_at_face"),
        "point_forward": every(up[..., None], known["arm_forward"], straight, swapped(either(crooked, aside))),
        "point_sideways": every(known["arm_to_side"], straight, swapped(either(crooked, known["arm_hanging"]))),
        "point_up": every(known["arm_straight_up"], swapped(either(crooked, aside))),
        "point_diagonally_up": every(
            either(known["arm_up_to_side"], known["arm_up_forward"]), straight, swapped(either(crooked, aside))
        ),
        "zombie": every(up, all_of("arm_forward"), both(below(outward.abs(), 0.14, 0.08))),
        "push": every(
            up,
            both(in_front),
            both(above(m.elbow, deg(25), deg(15))),
            both(below(m.elbow, deg(120), deg(20))),
            between(m.hand_gap, 0.2, 0.6, 0.1),
            both(above(height, -0.2, 0.1)),
            both(above(m.hand_torso[..., 1], 0.06, 0.05)),
        ),
        "carry": every(up, all_of("forearm_forward"), between(m.hand_gap, 0.12, 0.6, 0.1)),
        "boxing_guard": every(both(guard), above(m.hand_gap, 0.13, 0.05)),
        "flex_biceps": every(
            both(upper_out),
            both(above(m.elbow, deg(85), deg(20))),
            both(above(m.forearm[..., 2], 0.3, 0.25)),
            both(below(m.forearm[..., 1], -0.1, 0.2)),
        ),
        "cheer": every(
            all_of("arm_raised"),
            both(between(m.elbow, deg(25), deg(110), deg(15))),
            both(above(height, 0.28, 0.08)),
            above(m.hand_gap, 0.35, 0.12),
        ),
        "ballet_arms": every(
            all_of("arm_overhead"),
            both(between(m.elbow, deg(25), deg(95), deg(12))),
            both(above(m.hand_torso[..., 1], 0.01, 0.04)),
            below(m.hand_gap, 0.34, 0.1),
        ),
        "hold_ball_in_front": every(
            up,
            both(in_front),
            both(between(m.elbow, deg(35), deg(95), deg(15))),
            between(m.hand_gap, 0.05, 0.4, 0.08),
            both(above(height, -0.2, 0.08)),
        ),
        "draw_bow": every(
            either(known["arm_to_side"], known["arm_forward"]),
            straight,
            swapped(every(known["elbow_raised"], above(m.elbow, deg(100), deg(20)))),
        ),
        "diagonal_arms": every(
            either(known["arm_up_to_side"], known["arm_up_forward"]),
            swapped(either(known["arm_down_to_side"], known["arm_back"])),
        ),
        "akimbo": all_of("hand_on_hip"),
        "fly_like_superman": every(known["arm_straight_up"], swapped(known["hand_on_hip"]), straight),
        "bow": every(
            either(known["bend_forward"], known["bend_forward_deeply"]),
            known["stand"],
            both(below(m.knee, deg(35), deg(20))),
            both(below(height, 0.1, 0.15)),
            both(above(m.hand_height, 0.35, 0.1)),
            both(below(m.foot_height, 0.1, 0.05)),
        ),
        "touch_toes": every(all_of("hand_on_foot"), known["stand"]),
        "jumping_jack": every(
            all_of("arm_raised"), both(lax), known["feet_wide_apart"], below(m.knee.amax(-1), deg(35), deg(20))
        ),
        "star": every(
            either(all_of("arm_to_side"), all_of("arm_up_to_side")),
            known["feet_apart"],
            above(m.foot[..., 1].sum(-1), 0.48, 0.12),
            both(below(m.knee, deg(30), deg(20))),
        ),
        "tree_pose": every(
            known["foot_at_other_knee"], swapped(known["stand_on_one_leg"]), swapped(below(m.knee, deg(30), deg(20)))
        ),
        "warrior_pose": every(known["side_lunge"], either(all_of("arm_to_side"), all_of("arm_overhead"))[..., None]),
        "airplane": every(
            known["stand_on_one_leg"],
            swapped(known["leg_raised_back"]),
            either(known["lean_forward"], known["bend_forward"], known["bend_forward_deeply"])[..., None],
            both(either(known["arm_to_side"], known["arm_up_to_side"], known["arm_down_to_side"]))[..., None],
        ),
        "arabesque": every(
            known["leg_raised_back"], swapped(known["stand_on_one_leg"]), swapped(known["leg_straight"])
        ),
        "kick_pose": every(leg_lifted, swapped(known["stand_on_one_leg"]), above(m.foot_height, 0.35, 0.15)),
        "flamingo": every(known["knee_raised"], swapped(known["stand_on_one_leg"]), above(m.thigh[..., 2], -0.6, 0.2)),
        "horse_stance": every(
            known["feet_apart"],
            above(m.foot[..., 1].sum(-1), 0.45, 0.12),
            both(above(m.knee, deg(50), deg(15))),
            above(m.torso_up, 0.7, 0.2),
        ),
        "hang_limp": every(all_of("arm_hanging"), known["bend_forward"]),
    }
