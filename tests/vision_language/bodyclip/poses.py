"""Bodies by joint angles, as states on the ground, and their mirror images."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID
from anyskill.body.state import BodyState
from anyskill.motion.ground import lowest_points
from anyskill.motion.limbs import arms, hinge_turn, legs
from anyskill.motion.pose import SKELETON, read_pose

_SWAP = [
    SKELETON.index(_name)
    for _name in (
        name.replace("right", "LEFT").replace("left", "right").replace("LEFT", "left") for name in SKELETON.names
    )
]


def body(
    pose: Mapping[str, Any], ankles: Mapping[str, tuple] | None = None, lift: float = 0.0, reach: str = ""
) -> BodyState:
    """One state at rest, standing on whatever is lowest.

    Args:
        pose: As ``anyskill.motion.pose`` describes; legs only by ``joints``.
        ankles: Side → place of the ankle in the pelvis' frame (m), direction in which the knee points.
        lift: Metres above the ground.
        reach: The body of their side that both hands reach for; 10 cm in front of its origin.
    """
    read = read_pose(pose)
    local = SKELETON.rotations_from_dofs(read.turn, read.dofs)
    for side, (ankle, knee) in (ankles or {}).items():
        limb = legs(HUMANOID)[side == "left"]
        hip = SKELETON.offsets[limb.upper]
        end = torch.tensor(ankle, dtype=torch.float64)
        upper, angle, missing = limb.solve(
            hip, end, torch.linalg.cross(torch.tensor(knee, dtype=torch.float64), end - hip)
        )
        assert missing < 1e-3
        local[limb.upper], local[limb.lower] = upper, hinge_turn(angle)
    for side, limb in zip(("right", "left"), arms(HUMANOID), strict=True):
        if reach:
            positions, rotations = SKELETON.forward(torch.zeros(3, dtype=torch.float64), local)
            there = positions[SKELETON.index(f"{side}_{reach}")] + torch.tensor([0.1, 0.0, 0.0])
            there = rotation.rotate_inverse(rotations[limb.parent], there - positions[limb.parent])
            shoulder, out = SKELETON.offsets[limb.upper], torch.tensor([0.0, 1.0 if side == "left" else -1.0, 0.0])
            upper, angle, _ = limb.solve(shoulder, there, torch.linalg.cross(there - shoulder, out.double()))
            local[limb.upper], local[limb.lower] = upper, hinge_turn(angle)
    root = torch.zeros(3, dtype=torch.float64)
    lowest = lowest_points(HUMANOID, *SKELETON.forward(root, local)).amin()
    root[2] = lift - lowest
    return BodyState.at_rest(SKELETON, root, local)


def batch(*states: BodyState) -> BodyState:
    return BodyState.stack(states)


def mirror(state: BodyState) -> BodyState:
    """The image in the xz plane."""
    polar = state.positions.new_tensor([1.0, -1.0, 1.0])
    return BodyState(
        state.positions[..., _SWAP, :] * polar,
        state.rotations[..., _SWAP, :] * state.positions.new_tensor([1.0, -1.0, 1.0, -1.0]),
        state.linear_velocities[..., _SWAP, :] * polar,
        state.angular_velocities[..., _SWAP, :] * -polar,
        state.contact_forces[..., _SWAP, :] * polar,
    )


def random_states(count: int, seed: int) -> BodyState:
    """Any joint angles, any way up, any height and speed."""
    g = torch.Generator().manual_seed(seed)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=g, dtype=torch.float64)

    low, high = SKELETON.limits.unbind(-1)
    share = uniform(count, 1) ** 0.5  # many are near standing
    turn = rotation.from_rotation_vector(share * (uniform(count, 3) - 0.5) * math.pi)
    local = SKELETON.rotations_from_dofs(turn, share * (low + uniform(count, len(low)) * (high - low)))
    root = torch.zeros(count, 3, dtype=torch.float64)
    root[:, 2] = 0.1 * uniform(count) - lowest_points(HUMANOID, *SKELETON.forward(root, local)).amin(-1)
    positions, rotations = SKELETON.forward(root, local)
    shape = positions.shape
    speed = 3 * uniform(count, 1, 1)
    moving = (speed * (uniform(*shape) - 0.5), 2 * speed * (uniform(*shape) - 0.5))
    return BodyState(positions, rotations, *moving, torch.zeros_like(positions))


def joints(**angles: float | list[float]) -> dict[str, Any]:
    """A pose with these joints; legs straight if they are not named."""
    return {"joints": {"right_knee": 0, "left_knee": 0, **angles}}


_UP, _OUT = [0.1, 0.1, 1], "out"
_SQUAT = joints(
    right_hip=[0, -80, 0],
    left_hip=[0, -80, 0],
    right_knee=90,
    left_knee=90,
    right_ankle=[0, -15, 0],
    left_ankle=[0, -15, 0],
)
_DEEP = joints(
    right_hip=[0, -125, 0],
    left_hip=[0, -125, 0],
    right_knee=145,
    left_knee=145,
    right_ankle=[0, -45, 0],
    left_ankle=[0, -45, 0],
)
_KNEEL = joints(right_knee=90, left_knee=90, right_ankle=[0, 50, 0], left_ankle=[0, 50, 0])
_FLAT = {"forward": -90}


def _arms(**arms: Any) -> dict[str, Any]:
    return joints() | arms


def _hand(x: float, y: float, z: float, elbow: list[float]) -> dict[str, list[float]]:
    return {"hand": [x, y, z], "elbow": elbow}


_ON_HIP = _hand(0.03, 0.155, -0.36, [-0.35, 1, 0])

# name: (pose, other arguments of ``body``, facts that must hold, facts that everybody must deny)
POSES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "at ease": (
        joints(),
        {},
        "stand stand_straight upright look_ahead arm_hanging.both elbow_straight.both leg_straight.both feet_hip_width",
        "sit_on_ground lie in_the_air arm_overhead.right bend_forward akimbo",
    ),
    "both arms up": (
        _arms(arms=_UP),
        {},
        "arm_overhead.both arm_straight_up.both arm_raised.both elbow_straight.both",
        "arm_hanging.right arm_to_side.left surrender t_pose",
    ),
    "right arm up": (
        _arms(right_arm=_UP),
        {},
        "arm_overhead.right arm_straight_up.right arm_hanging.left point_up.right",
        "arm_overhead.left arm_hanging.right arm_overhead.both",
    ),
    "left arm forward": (
        _arms(left_arm="forward"),
        {},
        "arm_forward.left point_forward.left arm_hanging.right",
        "arm_forward.right arm_back.left arm_overhead.left arm_to_side.left",
    ),
    "arms forward": (_arms(arms="forward"), {}, "arm_forward.both zombie", "t_pose arm_hanging.both arm_back.right"),
    "cross": (_arms(arms=_OUT), {}, "arm_to_side.both t_pose", "arm_forward.both arm_overhead.right victory surrender"),
    "right arm to the side": (
        _arms(right_arm=_OUT),
        {},
        "arm_to_side.right point_sideways.right",
        "t_pose arm_to_side.left point_sideways.left",
    ),
    "arms in a V": (_arms(arms=[0.05, 0.7, 1]), {}, "arm_up_to_side.both victory arm_overhead.both", "t_pose"),
    "arms a little out": (_arms(arms=[0, 0.5, -0.85]), {}, "arm_down_to_side.both", "arm_overhead.both t_pose"),
    "arms up in front": (_arms(arms=[1, 0.1, 1]), {}, "arm_up_forward.both", "arm_hanging.left arm_back.both"),
    "arms low in front": (
        _arms(arms=[0.6, 0.05, -0.8]),
        {},
        "arm_down_forward.both",
        "arm_overhead.both arm_back.left",
    ),
    "right arm back": (_arms(right_arm=[-0.7, 0.1, -0.7]), {}, "arm_back.right", "arm_back.left arm_forward.right"),
    "hands up": (
        _arms(arms={"upper": [0.15, 1, -0.05], "lower": [0.2, 0.15, 1]}),
        {},
        "surrender forearm_up.both elbow_raised.both elbow_bent.both",
        "arm_hanging.both arms_crossed pray",
    ),
    "biceps": (
        _arms(arms={"upper": [0.1, 1, 0.15], "lower": [0.1, -0.75, 1]}),
        {},
        "flex_biceps elbow_folded.both",
        "t_pose arm_hanging.right",
    ),
    "forearms forward": (
        _arms(arms={"upper": "down", "lower": "forward"}),
        {},
        "forearm_forward.both carry elbow_bent.both",
        "arm_hanging.both arm_forward.both elbow_straight.right",
    ),
    "hands on hips": (
        _arms(arms=_ON_HIP),
        {},
        "hand_on_hip.right hand_on_hip.left akimbo",
        "arm_hanging.right hand_on_chest.right arms_crossed hand_on_head.left",
    ),
    "left hand on hip": (_arms(left_arm=_ON_HIP), {}, "hand_on_hip.left arm_hanging.right", "akimbo hand_on_hip.right"),
    "superman": (_arms(right_arm=_UP, left_arm=_ON_HIP), {}, "fly_like_superman.right", "fly_like_superman.left"),
    "pray": (
        _arms(arms=_hand(0.23, 0.043, -0.06, [0, 1, -0.7])),
        {},
        "pray hands_together hands_together_at_chest",
        "hands_together_overhead akimbo hands_together_low",
    ),
    "hands clasped low": (
        _arms(arms=_hand(0.2, 0.03, -0.42, [-0.3, 1, -0.2])),
        {},
        "hands_together_low",
        "pray hands_together_overhead hands_together_at_chest",
    ),
    "hands together overhead": (
        _arms(arms=_hand(0.08, 0.04, 0.47, [0.1, 1, 0])),
        {},
        "hands_together_overhead",
        "pray hands_together_low arm_hanging.right",
    ),
    "hands behind the back": (
        _arms(arms=_hand(-0.2, 0.05, -0.4, [-0.5, 1, 0])),
        {},
        "hand_behind_back.both hands_together_behind_back",
        "akimbo pray hand_on_chest.left",
    ),
    "arms crossed": (
        _arms(right_arm=_hand(0.22, -0.13, -0.14, [0.1, 0.7, -1]), left_arm=_hand(0.22, -0.12, -0.24, [0, 0.7, -1])),
        {},
        "arms_crossed arm_across.right arm_across.left",
        "pray akimbo arm_hanging.both",
    ),
    "arms crossed overhead": (
        _arms(right_arm=_hand(0.15, -0.08, 0.42, [0.3, 1, 0]), left_arm=_hand(0.1, -0.08, 0.42, [0.3, 1, 0])),
        {},
        "arms_crossed_overhead",
        "arms_crossed",
    ),
    "embrace": (
        _arms(right_arm=_hand(0.33, -0.08, -0.03, [0.3, 1, -0.1]), left_arm=_hand(0.31, -0.08, -0.16, [0.3, 1, -0.4])),
        {},
        "embrace",
        "akimbo t_pose",
    ),
    "open arms": (_arms(arms=[1, 0.5, -0.1]), {}, "hug", "embrace t_pose arm_hanging.left arm_overhead.both"),
    "salute": (
        _arms(right_arm=_hand(0.12, 0.1, 0.2, [0.25, 1, -0.25])),
        {},
        "salute.right hand_at_brow.right hand_near_head.right",
        "salute.left hand_near_head.left",
    ),
    "phone": (
        _arms(left_arm=_hand(0.04, 0.145, 0.13, [0.5, 0.5, -1])),
        {},
        "phone.left hand_at_ear.left",
        "phone.right",
    ),
    "ears": (_arms(arms=_hand(0.03, 0.145, 0.14, [0.3, 1, -0.5])), {}, "hand_at_ear.both", "phone.right phone.left"),
    "hands on the head": (
        _arms(arms=_hand(0.05, 0.07, 0.29, [0.35, 1, 0.1])),
        {},
        "hand_on_head.both",
        "hand_behind_head.both hand_on_hip.right arm_hanging.left",
    ),
    "hands behind the head": (
        _arms(arms=_hand(-0.1, 0.075, 0.17, [0.4, 1, 0.25])),
        {},
        "hand_behind_head.both",
        "akimbo",
    ),
    "hands at the mouth": (_arms(arms=_hand(0.15, 0.04, 0.08, [0.2, 1, -0.7])), {}, "hand_at_mouth.both", "akimbo"),
    "thinking": (
        _arms(right_arm=_hand(0.16, 0.03, 0.06, [0.2, 0.3, -1])),
        {},
        "think.right hand_at_mouth.right",
        "think.left hand_at_mouth.left",
    ),
    "face covered": (
        _arms(arms=_hand(0.15, 0.045, 0.16, [0.3, 0.6, -1])),
        {},
        "cover_face hand_at_face.right hand_at_face.left",
        "akimbo",
    ),
    "hands at the temples": (
        _arms(arms=_hand(0.12, 0.11, 0.2, [0.25, 1, -0.25])),
        {},
        "hand_at_brow.both",
        "salute.right",
    ),
    "right hand on the chest": (
        _arms(right_arm=_hand(0.19, 0.02, -0.12, [-0.2, 1, -0.6])),
        {},
        "hand_on_chest.right",
        "hand_on_chest.left hand_on_belly.right arm_hanging.right",
    ),
    "hands on the chest": (
        _arms(arms=_hand(0.18, 0.09, -0.12, [-0.2, 1, -0.6])),
        {},
        "hand_on_chest.both",
        "t_pose akimbo",
    ),
    "hands on the belly": (
        _arms(arms=_hand(0.16, 0.085, -0.31, [-0.4, 1, -0.2])),
        {},
        "hand_on_belly.both",
        "hand_on_chest.right",
    ),
    "hands at the shoulders": (
        _arms(arms=_hand(0.11, 0.17, 0.02, [0.2, 1, -1])),
        {},
        "hand_on_own_shoulder.both",
        "akimbo",
    ),
    "self hug": (
        _arms(right_arm=_hand(0.12, -0.17, -0.02, [0.6, 0.3, -1]), left_arm=_hand(0.13, -0.17, -0.02, [0.6, 0.3, -1])),
        {},
        "hand_on_other_shoulder.both",
        "hand_on_hip.right",
    ),
    "boxing": (_arms(arms=_hand(0.25, 0.11, 0.0, [-0.1, 0.4, -1])), {}, "boxing_guard", "akimbo t_pose"),
    "push": (_arms(arms=_hand(0.42, 0.18, -0.03, [-0.2, 0.6, -1])), {}, "push", "akimbo arms_crossed"),
    "ball": (_arms(arms=_hand(0.38, 0.12, -0.12, [-0.2, 1, -0.3])), {}, "hold_ball_in_front", "akimbo"),
    "archer": (
        _arms(left_arm=_OUT, right_arm=_hand(0.12, 0.2, 0.0, [0, 1, 0.1])),
        {},
        "draw_bow.left",
        "draw_bow.right t_pose",
    ),
    "diagonal": (
        _arms(right_arm=[0, 0.8, 0.8], left_arm=[0, 0.6, -0.8]),
        {},
        "diagonal_arms.right",
        "diagonal_arms.left",
    ),
    "left arm diagonally up": (
        _arms(left_arm=[0, 0.8, 0.8]),
        {},
        "point_diagonally_up.left arm_up_to_side.left",
        "point_diagonally_up.right",
    ),
    "ballet": (
        _arms(arms=_hand(0.12, 0.1, 0.4, [0.1, 1, 0])),
        {},
        "ballet_arms",
        "arm_straight_up.both arm_hanging.right",
    ),
    "cheer": (_arms(arms={"upper": [0.2, 0.7, 0.7], "lower": [0.1, 0, 1]}), {}, "cheer", "arm_hanging.both"),
    "bow": (
        joints(abdomen=[0, 20, 0])
        | {"pelvis": {"forward": 35}, "arms": [0.4, 0.1, -1]}
        | joints(right_hip=[0, -35, 0], left_hip=[0, -35, 0], abdomen=[0, 20, 0]),
        {},
        "bow bend_forward look_down stand",
        "upright lean_back",
    ),
    "toes": (
        {"pelvis": {"forward": 95}}
        | joints(right_hip=[0, -110, 0], left_hip=[0, -110, 0], right_knee=25, left_knee=25, abdomen=[0, 65, 0]),
        {"reach": "foot"},
        "bend_forward_deeply hand_near_ground.both hand_on_foot.both touch_toes stand",
        "upside_down lie arm_overhead.right",
    ),
    "limp": (
        {"pelvis": {"forward": 40}, "arms": [0.75, 0, -0.6]}
        | joints(right_hip=[0, -40, 0], left_hip=[0, -40, 0], abdomen=[0, 12, 0]),
        {},
        "hang_limp arm_hanging.both",
        "upright",
    ),
    "lean forward": (joints(abdomen=[0, 25, 0]), {}, "lean_forward", "lean_back upright bend_forward_deeply"),
    "lean back": (joints(abdomen=[0, -25, 0]), {}, "lean_back look_up", "lean_forward upright bow"),
    "lean left": (joints(abdomen=[-16, 0, 0]), {}, "lean_sideways.left", "lean_sideways.right upright"),
    "bend right": (joints(abdomen=[35, 0, 0]), {}, "bend_sideways.right", "bend_sideways.left upright"),
    "twist left": (joints(abdomen=[0, 0, 35]), {}, "twist.left", "twist.right"),
    "look up": (joints(neck=[0, -35, 0]), {}, "look_up", "look_down look_ahead"),
    "look down": (joints(neck=[0, 40, 0]), {}, "look_down", "look_up look_ahead"),
    "look right": (joints(neck=[0, 0, -40]), {}, "look_sideways.right", "look_sideways.left look_ahead"),
    "tilt the head left": (joints(neck=[-25, 0, 0]), {}, "tilt_head.left", "tilt_head.right"),
    "half squat": (_SQUAT, {}, "squat_halfway knee_bent.both", "stand_straight sit_on_ground leg_straight.right"),
    "soft knees": (
        joints(
            right_hip=[0, -22, 0],
            left_hip=[0, -22, 0],
            right_knee=44,
            left_knee=44,
            right_ankle=[0, -22, 0],
            left_ankle=[0, -22, 0],
        ),
        {},
        "bend_knees_slightly",
        "stand_straight crouch",
    ),
    "deep squat": (_DEEP, {}, "crouch knee_folded.both", "stand kneel lie"),
    "hands on knees": (
        {"pelvis": {"forward": 65}}
        | joints(
            right_hip=[0, -90, 0],
            left_hip=[0, -90, 0],
            right_knee=50,
            left_knee=50,
            right_ankle=[0, -25, 0],
            left_ankle=[0, -25, 0],
        ),
        {"reach": "shin"},
        "hand_on_knee.both",
        "upright arm_overhead.both",
    ),
    "lunge": (
        joints(),
        {"ankles": {"right": ([0.4, -0.085, -0.55], [1, 0, 0]), "left": ([-0.45, 0.085, -0.46], [1, 0, -0.3])}},
        "lunge.right foot_far_ahead.right",
        "lunge.left foot_ahead.left squat_halfway",
    ),
    "side lunge": (
        joints(),
        {"ankles": {"right": ([0.05, -0.25, -0.6], [1, -0.5, 0]), "left": ([0, 0.6, -0.63], [1, 0.5, 0])}},
        "side_lunge.right feet_wide_apart",
        "side_lunge.left feet_together",
    ),
    "warrior": (
        joints() | {"arms": _OUT},
        {"ankles": {"right": ([0.05, -0.25, -0.6], [1, -0.5, 0]), "left": ([0, 0.6, -0.63], [1, 0.5, 0])}},
        "warrior_pose.right",
        "warrior_pose.left",
    ),
    "horse": (
        joints(),
        {"ankles": {"right": ([0.05, -0.4, -0.55], [1, -0.5, 0]), "left": ([0.05, 0.4, -0.55], [1, 0.5, 0])}},
        "horse_stance feet_wide_apart",
        "feet_together stand_straight",
    ),
    "astride": (joints(right_hip=[-18, 0, 0], left_hip=[18, 0, 0]), {}, "feet_apart feet_wide_apart", "feet_together"),
    "star": (joints(right_hip=[-18, 0, 0], left_hip=[18, 0, 0]) | {"arms": _OUT}, {}, "star t_pose", "feet_together"),
    "jumping jack": (
        joints(right_hip=[-20, 0, 0], left_hip=[20, 0, 0]) | {"arms": [0.05, 0.5, 1]},
        {},
        "jumping_jack star",
        "t_pose",
    ),
    "feet together": (
        joints(right_hip=[4, 0, 0], left_hip=[-4, 0, 0]),
        {},
        "feet_together",
        "feet_apart feet_wide_apart",
    ),
    "legs crossed": (joints(right_hip=[9, -5, 0], left_hip=[-9, 5, 0]), {}, "feet_crossed", "feet_apart"),
    "right foot ahead": (
        joints(right_hip=[0, -15, 0], left_hip=[0, 10, 0]),
        {},
        "foot_ahead.right",
        "foot_ahead.left feet_together",
    ),
    "tiptoes": (
        joints(right_ankle=[0, 35, 0], left_ankle=[0, 35, 0]),
        {},
        "stand_on_tiptoes",
        "in_the_air sit_on_ground",
    ),
    "right knee up": (
        joints(right_hip=[0, -85, 0], right_knee=90),
        {},
        "knee_raised.right knee_raised_high.right stand_on_one_leg.left flamingo.right foot_off_ground.right",
        "stand_on_one_leg.right knee_raised.left stand_straight",
    ),
    "tree": (
        joints(),
        {"ankles": {"right": ([0.05, 0.0, -0.42], [0.3, -1, 0.2])}},
        "tree_pose.right foot_at_other_knee.right",
        "tree_pose.left stand_on_one_leg.right",
    ),
    "left leg forward": (
        joints(left_hip=[0, -45, 0]),
        {},
        "leg_raised_forward.left stand_on_one_leg.right",
        "leg_raised_back.left leg_raised_forward.right",
    ),
    "high kick": (
        joints(right_hip=[0, -85, 0]),
        {},
        "leg_raised_high_forward.right kick_pose.right",
        "leg_raised_back.right",
    ),
    "right leg sideways": (joints(right_hip=[-40, 0, 0]), {}, "leg_raised_sideways.right", "leg_raised_sideways.left"),
    "right leg back": (
        joints(right_hip=[0, 40, 0]),
        {},
        "leg_raised_back.right arabesque.right",
        "leg_raised_forward.right",
    ),
    "heel to the buttocks": (
        joints(left_knee=110),
        {},
        "heel_raised_behind.left",
        "knee_raised.left leg_straight.left",
    ),
    "airplane": (
        {"pelvis": {"forward": 60}, "arms": _OUT} | joints(right_hip=[0, -60, 0], left_hip=[0, 15, 0]),
        {},
        "airplane.right bend_forward leg_raised_back.left stand_on_one_leg.right",
        "airplane.left t_pose",
    ),
    "sitting": (
        joints(right_hip=[0, -90, 0], left_hip=[0, -90, 0]),
        {},
        "sit_with_legs_stretched sit_on_ground",
        "stand lie kneel crouch sit_cross_legged",
    ),
    "cross-legged": (
        joints(),
        {"ankles": {"right": ([0.24, 0.05, -0.02], [0.2, -1, 0]), "left": ([0.3, -0.05, -0.02], [0.2, 1, 0])}},
        "sit_cross_legged sit_on_ground",
        "sit_with_legs_stretched sit_with_knees_up",
    ),
    "knees up": (
        {"pelvis": {"forward": -15}}
        | joints(right_hip=[0, -115, 0], left_hip=[0, -115, 0], right_knee=115, left_knee=115),
        {},
        "sit_with_knees_up sit_on_ground knee_drawn_up.both",
        "sit_with_legs_stretched lie",
    ),
    "kneeling": (_KNEEL, {}, "kneel", "stand sit_on_heels sit_on_ground kneel_on_one_knee.right"),
    "on the right knee": (
        joints(right_knee=95, right_ankle=[0, 40, 0], left_hip=[0, -90, 0], left_knee=90),
        {},
        "kneel_on_one_knee.right",
        "kneel kneel_on_one_knee.left stand",
    ),
    "on the heels": (
        joints(
            right_hip=[0, -72, 0],
            left_hip=[0, -72, 0],
            right_knee=160,
            left_knee=160,
            right_ankle=[0, 55, 0],
            left_ankle=[0, 55, 0],
        ),
        {},
        "sit_on_heels",
        "kneel stand lie",
    ),
    "all fours": (
        {"pelvis": {"forward": 82}, "arms": "forward"}
        | joints(
            right_hip=[0, -85, 0],
            left_hip=[0, -85, 0],
            right_knee=90,
            left_knee=90,
            right_ankle=[0, 50, 0],
            left_ankle=[0, 50, 0],
        ),
        {},
        "on_all_fours",
        "stand lie plank",
    ),
    "plank": ({"pelvis": {"forward": 75}, "arms": [1, 0, -0.2]} | joints(), {}, "plank", "stand lie on_all_fours"),
    "downward dog": (
        {"pelvis": {"forward": 131}, "arms": [0.2, 0.05, 1]}
        | joints(right_hip=[0, -95, 0], left_hip=[0, -95, 0], right_ankle=[0, -40, 0], left_ankle=[0, -40, 0]),
        {},
        "hands_and_feet_on_ground",
        "lie plank",
    ),
    "bridge": (
        {"pelvis": {"forward": -84}, "arms": [-0.9, 0.1, 0.1]}
        | joints(right_hip=[0, 10, 0], left_hip=[0, 10, 0], right_knee=85, left_knee=85),
        {},
        "bridge",
        "lie plank",
    ),
    "on the back": (
        {"pelvis": _FLAT, "arms": "down"} | joints(),
        {},
        "lie_on_back lie arm_hanging.both",
        "lie_on_front stand lie_on_side.left upright",
    ),
    "on the belly": (
        {"pelvis": {"forward": 90}, "arms": "down"} | joints(right_ankle=[0, 55, 0], left_ankle=[0, 55, 0]),
        {},
        "lie_on_front lie",
        "lie_on_back stand on_all_fours",
    ),
    "on the right side": (
        {"pelvis": {"left": -90}, "right_arm": "forward"} | joints(),
        {},
        "lie_on_side.right lie",
        "lie_on_side.left lie_on_back",
    ),
    "legs up": (
        {"pelvis": _FLAT} | joints(right_hip=[0, -90, 0], left_hip=[0, -90, 0]),
        {},
        "lie_on_back leg_pointing_up.both",
        "stand",
    ),
    "handstand": (
        {"pelvis": {"forward": 178}, "arms": _UP} | joints(),
        {},
        "handstand upside_down arm_overhead.both",
        "stand lie upright",
    ),
    "in the air upside down": (
        {"pelvis": {"forward": 150}} | joints(right_hip=[0, -60, 0], left_hip=[0, -60, 0], right_knee=70, left_knee=70),
        {"lift": 0.5},
        "upside_down in_the_air",
        "stand lie handstand",
    ),
    "in the air": (joints(), {"lift": 0.3}, "in_the_air", "stand feet_together sit_on_ground lie"),
}


def pose_states() -> BodyState:
    """All poses, in the order of the table."""
    return batch(*(body(pose, **options) for pose, options, _, _ in POSES.values()))
