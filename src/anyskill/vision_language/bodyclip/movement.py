"""Facts about movement, as margins, from velocities and, for what repeats or lasts, from the states just before.

Speeds are in m/s and rad/s, in the level frame of the pelvis. A window is the history and the present state, oldest
first; means are over the window. See ``posture`` for how facts are written.
"""

import torch
from torch import Tensor

from anyskill.body.state import BodyState
from anyskill.vision_language.bodyclip.margins import above, below, between, both, certain, either, every, swapped
from anyskill.vision_language.bodyclip.measures import (
    ANKLES,
    HANDS,
    HEAD,
    OUTWARD,
    PELVIS,
    SHOULDERS,
    TORSO,
    Measures,
    level_frame,
)


def movement_facts(window: BodyState, m: Measures, known: dict[str, Tensor]) -> dict[str, Tensor]:
    """What the body and its limbs do.

    Args:
        window: States, shape ``(time, *batch)``; only the present one if there is no history. Then nothing repeats.
        m: Measures of the present state.
        known: The facts of ``posture`` and ``limbs`` of the present state.
    """
    frame = level_frame(window.rotations[..., PELVIS, :])
    velocity, spin = window.linear_velocities, window.angular_velocities
    outward = velocity.new_tensor(OUTWARD)
    pelvis = (frame @ velocity[..., PELVIS, :, None])[..., 0]
    to_frame = frame.transpose(-1, -2)
    hand = (velocity[..., HANDS, :] - velocity[..., SHOULDERS, :]) @ to_frame * outward
    foot = (velocity[..., ANKLES, :] - velocity[..., PELVIS, None, :]) @ to_frame * outward
    travel = pelvis.mean(0)
    forward, left, rise = travel[..., 0], travel[..., 1], pelvis[-1, ..., 2]
    speed = travel[..., :2].norm(dim=-1)
    sideways = torch.stack((-left, left), -1)
    yaw = spin[..., PELVIS, 2].mean(0)
    turn = torch.stack((-yaw, yaw), -1)
    bend = (spin[-1, ..., TORSO, :] * frame[-1, ..., 1, :]).sum(-1)  # above zero: forward
    tumble = spin[..., TORSO, :].norm(dim=-1).mean(0)
    head_spin = (spin[..., HEAD, :] - spin[..., TORSO, :]).norm(dim=-1).mean(0)
    hand_now, hand_speed = hand[-1], hand.norm(dim=-1).mean(0)
    foot_now, step_speed = foot[-1], velocity[..., ANKLES, :].norm(dim=-1).mean(0).amax(-1)  # of the faster foot
    reaching = (hand_now * torch.nn.functional.normalize(m.hand, dim=-1)).sum(-1)  # how fast an arm extends
    gap = (window.positions[..., HANDS[0], :] - window.positions[..., HANDS[1], :]).norm(dim=-1)
    parting = hand[..., 1].sum(-1, keepdim=True)  # how fast the hands part

    up = certain(~m.lying, rise.dtype)
    erect = every(above(m.torso_up, 0.6, 0.25), above(m.pelvis_height, 0.55, 0.15))
    airborne, grounded = known["in_the_air"], below(m.clearance, 0.05, 0.03)
    stepping = every(erect, above(step_speed, 0.45, 0.3))
    walking = every(stepping, above(m.pelvis_height, 0.62, 0.1), below(speed, 2.0, 0.3), below(airborne, 0.0, 0.5))
    steady, ahead = below(speed, 0.6, 0.5), below(left.abs(), 0.5, 0.3)
    on_the_spot = every(below(speed, 0.12, 0.15), below(step_speed, 0.15, 0.2), grounded)
    forearm_up = every(above(m.forearm[..., 2], 0.35, 0.25), above(m.hand[..., 2], -0.12, 0.15))
    other_down = swapped(below(m.foot_height, 0.1, 0.08))
    kicking = every(known["foot_off_ground"], below(turn.abs(), 2.0, 0.8), steady[..., None], other_down)
    squatting = either(known["squat_halfway"], known["crouch"], known["bend_knees_slightly"])
    leaping = every(airborne, above(m.torso_up, 0.4, 0.3))
    return {
        "hold_still": every(
            on_the_spot,
            below(tumble, 0.4, 0.5),
            below(head_spin, 0.4, 0.5),
            both(below(hand_speed, 0.2, 0.25)),
        ),
        "keep_feet_still": every(on_the_spot, up),
        "walk_forward": every(walking, above(forward, 0.3, 0.2), ahead),
        "walk_slowly": every(walking, between(forward, 0.25, 0.8, 0.2), ahead),
        "walk_briskly": every(walking, between(forward, 1.35, 2.0, 0.25), ahead),
        "walk_backward": every(walking, below(forward, -0.25, 0.2), ahead),
        "step_sideways": every(
            above(sideways, 0.3, 0.2), below(forward.abs(), 0.35, 0.2)[..., None], walking[..., None]
        ),
        "run": every(stepping, above(forward, 2.0, 0.4)),
        "jog": every(stepping, between(forward, 1.8, 2.8, 0.3)),
        "run_fast": every(stepping, above(forward, 3.0, 0.5)),
        "jump_up": every(leaping, above(rise, 0.4, 0.4), below(speed, 1.6, 0.4)),
        "jump_forward": every(
            leaping, between(forward, 0.8, 3.0, 0.4), below(foot_now.norm(dim=-1).amax(-1), 2.0, 0.5)
        ),
        "come_down_from_jump": every(leaping, below(rise, -0.6, 0.4), below(speed, 1.6, 0.4)),
        "fall": every(
            below(rise, -0.7, 0.3),
            below(m.torso_up, 0.75, 0.2),
            below(m.pelvis_height, 0.82, 0.1),
            -squatting,
            below(airborne, 0.0, 0.5),
        ),
        "lower_body": every(below(rise, -0.25, 0.2), grounded, above(m.torso_up, 0.5, 0.25), steady),
        "get_up": every(above(rise, 0.25, 0.2), grounded, below(m.pelvis_height, 0.75, 0.08), steady),
        "bend_down": every(above(bend, 0.6, 0.4), above(m.pitch, 0.2, 0.2), up, steady, grounded),
        "straighten_up": every(below(bend, -0.6, 0.4), above(m.pitch, 0.3, 0.2), up, steady, grounded),
        "turn": every(above(turn, 0.7, 0.4), erect[..., None]),
        "spin": every(above(turn, 3.0, 1.0), erect[..., None]),
        "flip": every(above(tumble, 4.0, 1.5), airborne, below(m.torso_up, 0.7, 0.3)),
        "roll": every(above(tumble, 2.0, 0.8), below(m.torso_height, 0.5, 0.15), below(m.torso_up, 0.6, 0.2), grounded),
        "crawl": every(either(known["on_all_fours"], known["hands_and_feet_on_ground"]), above(speed, 0.12, 0.08)),
        "kick": every(kicking, above(foot_now.norm(dim=-1), 2.0, 0.7), above(m.foot_height, 0.14, 0.08)),
        "kick_forward": every(kicking, above(foot_now[..., 0], 1.6, 0.6), above(m.leg[..., 0], 0.05, 0.2)),
        "raise_leg": every(kicking, above(foot_now[..., 2], 0.4, 0.3)),
        "punch": every(
            above(hand_now[..., 0], 1.4, 0.5),
            above(reaching, 1.1, 0.5),
            above(m.hand[..., 0], 0.12, 0.1),
            below(m.hand[..., 2].abs(), 0.25, 0.12),
        ),
        "swing_arm": every(above(hand_speed, 1.2, 0.4), below(m.elbow, 0.9, 0.4)),
        "raise_arm": every(above(hand_now[..., 2], 0.5, 0.3), above(hand[..., 2].mean(0), 0.3, 0.3)),
        "lower_arm": every(below(hand_now[..., 2], -0.5, 0.3), below(hand[..., 2].mean(0), -0.3, 0.3)),
        "wave": every(
            forearm_up,
            above(_shuttling(hand), 1.8, 0.6),
            every(steady, below(tumble, 1.5, 0.5))[..., None],
            above(hand[..., 1].abs().mean(0), 0.4, 0.2),
            above((hand[..., 1].abs() - hand[..., 0].abs()).mean(0), 0.0, 0.2),
        ),
        "clap": every(
            below(gap.amin(0), 0.2, 0.1),
            below(gap.amax(0), 0.75, 0.2),
            above(_shuttling(parting[..., None])[..., 0], 1.5, 0.5),
            above(parting.abs().mean(0)[..., 0], 0.4, 0.25),
            both(above(m.hand_torso[..., 0], 0.1, 0.06)),
        ),
        "move_head": every(above(head_spin, 0.9, 0.5), below(tumble, 1.0, 0.5), steady),
    }


def _shuttling(velocity: Tensor) -> Tensor:
    """Distance travelled over distance gained, of velocities ``(time, *batch, limb, axis)``: 1 for a straight way."""
    return velocity.norm(dim=-1).mean(0) / velocity.mean(0).norm(dim=-1).clamp_min(0.05)
