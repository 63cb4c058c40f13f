"""What can be measured on a body: heights, directions, angles and distances, all batched.

Sided quantities have an axis of two, right then left, and are written in (forward, outward, up): *outward* is away from
the middle of the body. A mirrored body therefore has the same measures with the two sides exchanged.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.motion.ground import lowest_points

_SKELETON = skeleton_of(HUMANOID)
PELVIS, TORSO, HEAD = (_SKELETON.index(name) for name in ("pelvis", "torso", "head"))
SHOULDERS, ELBOWS, HANDS, HIPS, KNEES, ANKLES = (
    [_SKELETON.index(f"{side}_{body}") for side in ("right", "left")]
    for body in ("upper_arm", "lower_arm", "hand", "thigh", "shin", "foot")
)
OUTWARD = ((1.0, -1.0, 1.0), (1.0, 1.0, 1.0))
_HEAD_CENTRE = (0.0, 0.0, 0.175)  # m, in the frame of the head, which is at the neck
TOE, HEEL = (0.1335, 0.0, -0.05), (-0.0435, 0.0, -0.05)  # m, ends of the sole, in the frame of the foot


@dataclass(frozen=True)
class Measures:
    """Metres and radians."""

    lying: Bool[Tensor, "*batch"]  # low and level, or head down: arms and legs are then told in the body's own frames

    # Arms; the arm frame is level and faces where the chest faces, or is the torso's own if ``lying``.
    hand: Float[Tensor, "*batch 2 3"]  # from the shoulder, arm frame
    upper_arm: Float[Tensor, "*batch 2 3"]  # unit direction, arm frame
    forearm: Float[Tensor, "*batch 2 3"]  # unit direction, arm frame
    elbow: Float[Tensor, "*batch 2"]  # 0 is straight
    hand_torso: Float[Tensor, "*batch 2 3"]  # in the torso's frame
    hand_pelvis: Float[Tensor, "*batch 2 3"]  # in the pelvis' frame
    hand_head: Float[Tensor, "*batch 2 3"]  # from the centre of the head, in its frame
    hand_height: Float[Tensor, "*batch 2"]  # above the ground
    hand_gap: Float[Tensor, "*batch"]  # between the centres of the hands
    hand_shoulder: Float[Tensor, "*batch 2"]  # distance to the own shoulder
    hand_other_shoulder: Float[Tensor, "*batch 2"]
    hand_knee: Float[Tensor, "*batch 2"]  # distance to the nearer knee
    hand_foot: Float[Tensor, "*batch 2"]  # distance to the nearer toe or ankle

    # Legs; the leg frame is level and faces where the pelvis faces, or is the pelvis' own if ``lying``.
    thigh: Float[Tensor, "*batch 2 3"]  # unit direction, leg frame
    leg: Float[Tensor, "*batch 2 3"]  # unit direction from hip to ankle, leg frame
    leg_rise: Float[Tensor, "*batch 2"]  # upward part of that direction in the world
    knee: Float[Tensor, "*batch 2"]  # 0 is straight
    knee_height: Float[Tensor, "*batch 2"]  # of its underside, above the ground
    foot: Float[Tensor, "*batch 2 3"]  # ankle from the middle of the hips, leg frame
    foot_height: Float[Tensor, "*batch 2"]  # of the lowest point of the sole
    heel_height: Float[Tensor, "*batch 2"]
    foot_other_knee: Float[Tensor, "*batch 2"]  # from the ankle

    # Trunk and head; angles to the left are positive on the left side and negative on the right.
    pelvis_height: Float[Tensor, "*batch"]  # of the hip joints; 0.89 standing
    torso_height: Float[Tensor, "*batch"]
    clearance: Float[Tensor, "*batch"]  # height of the lowest point of the body
    torso_up: Float[Tensor, "*batch"]  # cosine between the spine and the vertical
    pelvis_up: Float[Tensor, "*batch"]
    chest_up: Float[Tensor, "*batch"]  # upward part of where the chest faces
    side_up: Float[Tensor, "*batch 2"]  # upward part of the torso's direction to this side
    pitch: Float[Tensor, "*batch"]  # of the spine, forward
    roll: Float[Tensor, "*batch 2"]  # of the spine, to this side
    twist: Float[Tensor, "*batch 2"]  # of the torso on the pelvis, to this side
    head_turn: Float[Tensor, "*batch 2"]  # of the head on the torso, to this side
    head_tilt: Float[Tensor, "*batch 2"]
    gaze: Float[Tensor, "*batch"]  # elevation of where the face looks


def level_frame(turn: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 3 3"]:
    """Axes (rows: forward, left, up) of the upright frame with the body's left-hand direction.

    Unlike the heading of the forward axis, it is well defined for a body bent forward or backward by any angle.
    """
    left = rotation.rotate(turn, turn.new_tensor([0.0, 1.0, 0.0])) * turn.new_tensor([1.0, 1.0, 0.0])
    left = torch.nn.functional.normalize(left, dim=-1, eps=1e-6)
    up = turn.new_tensor([0.0, 0.0, 1.0]).expand_as(left)
    return torch.stack((torch.linalg.cross(left, up), left, up), -2)


def measure(state: BodyState) -> Measures:
    """Measure bodies of the plain humanoid; heights are above a ground at z = 0."""
    position, turn = state.positions, state.rotations
    outward = position.new_tensor(OUTWARD)
    axes = rotation.to_matrix(turn).transpose(-1, -2)  # rows: forward, left, up of every body
    torso, pelvis, head = axes[..., TORSO, :, :], axes[..., PELVIS, :, :], axes[..., HEAD, :, :]
    low = (position[..., PELVIS, 2] < 0.35) & (torso[..., 2, 2].abs() < 0.6)
    # Hands can be lower than feet that still carry the body: only with the feet up, too, is it head down.
    inverted = (torso[..., 2, 2] < -0.3) & (position[..., ANKLES, 2].amin(-1) > 0.3)
    lying = low | inverted
    own = lying[..., None, None]
    arm_frame = torch.where(own, torso, level_frame(turn[..., TORSO, :]))
    leg_frame = torch.where(own, pelvis, level_frame(turn[..., PELVIS, :]))

    def seen(frame: Tensor, vectors: Tensor) -> Tensor:
        """Vectors (*batch, 2, 3) of the world in a frame, as (forward, outward, up)."""
        return vectors @ frame.transpose(-1, -2) * outward

    def unit(vectors: Tensor) -> Tensor:
        return torch.nn.functional.normalize(vectors, dim=-1)

    def sided(value: Tensor) -> Tensor:
        """A value that counts to the left, to the right and to the left."""
        return torch.stack((-value, value), -1)

    def distance(first: Tensor, second: Tensor) -> Tensor:
        return (first - second).norm(dim=-1)

    shoulder, elbow, hand = (position[..., bodies, :] for bodies in (SHOULDERS, ELBOWS, HANDS))
    hip, knee, ankle = (position[..., bodies, :] for bodies in (HIPS, KNEES, ANKLES))
    feet = turn[..., ANKLES, :]
    toe = ankle + rotation.rotate(feet, position.new_tensor(TOE))
    heel = ankle + rotation.rotate(feet, position.new_tensor(HEEL))
    centre = position[..., HEAD, :] + rotation.rotate(turn[..., HEAD, :], position.new_tensor(_HEAD_CENTRE))
    spine = (level_frame(turn[..., PELVIS, :]) @ torso[..., 2, :, None])[..., 0]
    chest_left = (pelvis @ torso[..., 1, :, None])[..., 0]
    face, crown = ((torso @ head[..., axis, :, None])[..., 0] for axis in (0, 2))
    return Measures(
        lying=lying,
        hand=seen(arm_frame, hand - shoulder),
        upper_arm=unit(seen(arm_frame, elbow - shoulder)),
        forearm=unit(seen(arm_frame, hand - elbow)),
        elbow=_angle(elbow - shoulder, hand - elbow),
        hand_torso=seen(torso, hand - position[..., TORSO, None, :]),
        hand_pelvis=seen(pelvis, hand - position[..., PELVIS, None, :]),
        hand_head=seen(head, hand - centre[..., None, :]),
        hand_height=hand[..., 2],
        hand_gap=distance(hand[..., 0, :], hand[..., 1, :]),
        hand_shoulder=distance(hand, shoulder),
        hand_other_shoulder=distance(hand, shoulder.flip(-2)),
        hand_knee=torch.minimum(distance(hand, knee), distance(hand, knee.flip(-2))),
        hand_foot=torch.stack([distance(hand, p) for p in (toe, toe.flip(-2), ankle, ankle.flip(-2))]).amin(0),
        thigh=unit(seen(leg_frame, knee - hip)),
        leg=unit(seen(leg_frame, ankle - hip)),
        leg_rise=unit(ankle - hip)[..., 2],
        knee=_angle(knee - hip, ankle - knee),
        knee_height=knee[..., 2] - 0.05,
        foot=seen(leg_frame, ankle - hip.mean(-2, keepdim=True)),
        foot_height=torch.minimum(toe[..., 2], heel[..., 2]),
        heel_height=heel[..., 2],
        foot_other_knee=distance(ankle, knee.flip(-2)),
        pelvis_height=position[..., PELVIS, 2],
        torso_height=position[..., TORSO, 2],
        clearance=lowest_points(HUMANOID, position, turn).amin(-1),
        torso_up=torso[..., 2, 2],
        pelvis_up=pelvis[..., 2, 2],
        chest_up=torso[..., 0, 2],
        side_up=sided(torso[..., 1, 2]),
        pitch=torch.atan2(spine[..., 0], spine[..., 2]),
        roll=sided(torch.asin(spine[..., 1].clamp(-1, 1))),
        twist=sided(torch.atan2(-chest_left[..., 0], chest_left[..., 1])),
        head_turn=sided(torch.atan2(face[..., 1], face[..., 0])),
        head_tilt=sided(torch.asin(crown[..., 1].clamp(-1, 1))),
        gaze=torch.asin(head[..., 0, 2].clamp(-1, 1)),
    )


def _angle(first: Tensor, second: Tensor) -> Tensor:
    """Angle (rad) between vectors; exact near zero too."""
    return torch.atan2(torch.linalg.cross(first, second).norm(dim=-1), (first * second).sum(-1))
