"""Any skeleton's motion → a clip of our character.

Rotations are transferred as turns away from a common rest pose: our skeleton is first posed so that its limbs point
where the source's do at rest, then follows the source's global turns, ``q = q_source · q_source_rest⁻¹ · q_rest``.
Knees and elbows become hinges about +y without moving wrists or ankles.
"""

import math
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID, Character
from anyskill.body.skeleton import Skeleton, skeleton_of
from anyskill.motion.clip import Clip
from anyskill.motion.errors import MotionError
from anyskill.motion.ground import lowest_points
from anyskill.motion.joint_map import JointMap, find_joints
from anyskill.motion.source import SourceMotion

# Bones whose direction at rest is copied: from this body's joint to the next one's.
_BONES = {
    f"{side}_{bone}": f"{side}_{tip}"
    for side in ("left", "right")
    for bone, tip in (("thigh", "shin"), ("shin", "foot"), ("upper_arm", "lower_arm"), ("lower_arm", "hand"))
}
_STRAIGHT, _BENT = 0.07, 0.26  # sines of the bends (4° and 15°) between which the bending plane comes into its own
_AT_REST = math.radians(20)
_BEND_EVIDENCE = 0.5  # frames' worth of right-angled bend that it takes to correct a limb's twist by half


def retarget(
    source: SourceMotion,
    character: Character = HUMANOID,
    joint_map: JointMap | None = None,
    fps: float = 30,
    *,
    name: str = "motion",
    face_x: bool = True,
) -> Clip:
    """Move a motion onto our character, at ``fps``, standing on z = 0.

    Args:
        source: The motion on its own skeleton, of any size, in any rest pose, facing anywhere.
        character: Whose clip it is to be.
        joint_map: Body → joint, for joints that are not found by their names.
        fps: Frames a second of the clip.
        name: Name of the clip.
        face_x: Whether the clip starts at the origin, facing +x; otherwise it stays where it was (scaled).

    Raises:
        MotionError: A body has no joint, the legs have no length, or there is only one frame.
    """
    source = without_rest_frames(source)
    if source.num_frames < 2:
        raise MotionError(f"{name} has only one frame; a motion needs two.")
    skeleton = skeleton_of(character)
    joints = find_joints(source, joint_map)
    rest_positions, rest_rotations = source.rest_world()
    positions, rotations = source.world()
    rest = _matching_rest(skeleton, joints, rest_positions)

    world = torch.empty(source.num_frames, skeleton.num_bodies, 4, dtype=torch.float64)
    nearest: list[int] = []  # for every body the joint it follows
    for body, body_name in enumerate(skeleton.names):
        nearest.append(joints.get(body_name, nearest[skeleton.parents[body]] if body else joints["pelvis"]))
        turn = rotation.multiply(rotations[:, nearest[body]], rotation.conjugate(rest_rotations[nearest[body]]))
        world[:, body] = rotation.multiply(turn, rest[body])
    world = rotation.normalize(bend_hinges(skeleton, world))
    local = skeleton.local_rotations(world)
    y_axis = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    for body, joint in skeleton.joints.items():
        if joint.kind == "hinge":  # exactly: what bend_hinges leaves beside y is rounding
            local[:, body] = rotation.from_axis_angle(y_axis, rotation.twist(local[:, body], y_axis))

    scale = _leg_length(character) / _source_leg_length(joints, rest_positions, name)
    # The hips' middle is our pelvis' origin; the source's own root may sit anywhere in its pelvis.
    middle = 0.5 * (positions[:, joints["left_thigh"]] + positions[:, joints["right_thigh"]])
    clip = Clip(name, source.fps, scale * middle, rotation.continuous(local), character=character)
    clip = clip if source.fps == fps else clip.resampled(fps)
    return on_the_ground(from_origin(clip) if face_x else clip)


def without_rest_frames(source: SourceMotion) -> SourceMotion:
    """The motion without a rest pose put before its first frame, as many converters do.

    If the first frame is (to 20°, the root aside) the rest pose, the frames are dropped from which the body leaps out
    of it: those within the first tenth of a second with faster joints than half the clip's frames, by half.
    """
    away = _angle(source.rotations[0, 1:], source.rest[1:])
    if source.num_frames < 3 or away.amax() > _AT_REST:
        return source
    speed = _angle(source.rotations[1:], source.rotations[:-1]).mean(-1)
    fast = (speed[: math.ceil(0.1 * source.fps)] > 1.5 * speed.median()).nonzero()[:, 0]
    start = 0 if len(fast) == 0 or fast[0] > 0 else int(fast[-1]) + 1
    return replace(source, rotations=source.rotations[start:], root_positions=source.root_positions[start:])


def from_origin(clip: Clip) -> Clip:
    """The same motion starting above the origin, facing +x."""
    turn = rotation.conjugate(rotation.heading_rotation(clip.rotations[0, 0]))
    ahead = clip.root_positions - clip.root_positions[0] * clip.root_positions.new_tensor([1.0, 1.0, 0.0])
    local = clip.rotations.clone()
    local[:, 0] = rotation.multiply(turn, local[:, 0])
    return Clip(clip.name, clip.fps, rotation.rotate(turn, ahead), local, clip.labels, clip.loop, clip.character)


def on_the_ground(clip: Clip) -> Clip:
    """The same motion, raised or lowered as a whole until its lowest frames (a tenth of them) touch z = 0."""
    poses = skeleton_of(clip.character).forward(clip.root_positions, clip.rotations)
    floor = lowest_points(clip.character, *poses).amin(-1).quantile(0.1)
    root = clip.root_positions - floor * clip.root_positions.new_tensor([0.0, 0.0, 1.0])
    return Clip(clip.name, clip.fps, root, clip.rotations, clip.labels, clip.loop, clip.character)


def bend_hinges(skeleton: Skeleton, world: Float[Tensor, "frame body 4"]) -> Float[Tensor, "frame body 4"]:
    """Turn knees and elbows into hinges about +y; directions of all limbs stay, so wrists and ankles do not move.

    With u and l the directions of upper and lower segment, the hinge's axis is along u×l (knees, which bend by positive
    angles) or l×u (elbows), and the upper segment is twisted about u to carry it. Where a limb is nearly straight
    its plane says nothing: there the transferred twist holds, corrected by the angle between the two that the rest
    of the clip shows, and the one passes smoothly into the other. Feet, and the bodies below hinges that have
    joints of their own, keep their rotation; bodies fixed to a segment follow it.
    """
    world = world.clone()
    down = torch.tensor([0.0, 0.0, -1.0], dtype=world.dtype)
    y_axis = torch.tensor([0.0, 1.0, 0.0], dtype=world.dtype)
    for body, joint in skeleton.joints.items():
        if joint.kind != "hinge":
            continue
        parent = skeleton.parents[body]
        lowest, highest = torch.deg2rad(torch.tensor(joint.limits_degrees[0], dtype=world.dtype))
        sign = 1.0 if highest > -lowest else -1.0
        upper, lower = rotation.rotate(world[:, parent], down), rotation.rotate(world[:, body], down)
        normal = sign * torch.linalg.cross(upper, lower)  # as long as the sine of the bend
        transferred = rotation.rotate(world[:, parent], y_axis)
        axis = _hinge_axis(normal, transferred, upper)
        new_parent = rotation.from_matrix(torch.stack((torch.linalg.cross(axis, -upper), axis, -upper), -1))
        back, along = rotation.rotate_inverse(new_parent, lower)[:, 0], rotation.rotate_inverse(new_parent, lower)[:, 2]
        angle = torch.atan2(-back, -along)  # Ry(θ) takes -z to (-sin θ, 0, -cos θ)
        # A limb folded beyond half a turn comes out with the wrong sign; a hyperextended one is made straight.
        angle = torch.where(sign * angle < -0.5 * torch.pi, angle + sign * 2.0 * torch.pi, angle)
        angle = angle.clamp(lowest, highest)
        world[:, parent] = new_parent
        world[:, body] = rotation.multiply(new_parent, rotation.from_axis_angle(y_axis, angle))
        for child in range(body + 1, skeleton.num_bodies):  # a hand is one piece with its forearm
            if skeleton.parents[child] == body and child not in skeleton.joints:
                world[:, child] = world[:, body]
    return world


def _hinge_axis(
    normal: Float[Tensor, "frame 3"], transferred: Float[Tensor, "frame 3"], upper: Float[Tensor, "frame 3"]
) -> Float[Tensor, "frame 3"]:
    """The hinge's axis (unit, perpendicular to the upper segment) from the bending plane and the transferred twist."""
    sine = normal.norm(dim=-1, keepdim=True)
    across = torch.linalg.cross(upper, transferred)
    # Angle of the bending plane's normal from the transferred axis, averaged over the clip; frames weigh by sin².
    cosine = (sine * normal * transferred).sum() + _BEND_EVIDENCE
    twist = torch.atan2((sine * normal * across).sum(), cosine)
    straight = torch.cos(twist) * transferred + torch.sin(twist) * across
    unit = normal / sine.clamp_min(1e-9)
    # A plane that is turned over is a limb bent the wrong way by noise: no evidence either.
    agreement = ((unit * straight).sum(-1, keepdim=True) + 0.5).clamp(0.0, 0.8) / 0.8
    weight = _smoothstep((sine - _STRAIGHT) / (_BENT - _STRAIGHT)) * _smoothstep(agreement)
    axis = weight * unit + (1.0 - weight) * straight
    return axis / axis.norm(dim=-1, keepdim=True)


def _angle(a: Float[Tensor, "*batch 4"], b: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
    """Angle (rad) between two rotations."""
    return rotation.to_rotation_vector(rotation.multiply(rotation.conjugate(a), b)).norm(dim=-1)


def _smoothstep(t: Tensor) -> Tensor:
    t = t.clamp(0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def _matching_rest(
    skeleton: Skeleton, joints: dict[str, int], positions: Float[Tensor, "joint 3"]
) -> Float[Tensor, "body 4"]:
    """World rotations that pose our skeleton like the source at rest: the trunk upright, limbs along its limbs.

    Every bone is turned by the smallest rotation from where its parent has carried it. The trunk and head copy only
    the facing: how a file strings its spine is anatomy, not pose. So does a foot's drop from ankle to toe.
    """
    facing = _facing(joints, positions)
    down = torch.tensor([0.0, 0.0, -1.0], dtype=torch.float64)
    rest: list[Tensor] = []
    for body, name in enumerate(skeleton.names):
        turn = rest[skeleton.parents[body]] if body else facing
        tip = joints.get(_BONES.get(name, ""))
        if tip is not None and name in joints:
            direction = positions[tip] - positions[joints[name]]
            if direction.norm() > 1e-6:
                turn = rotation.multiply(rotation.between(rotation.rotate(turn, down), direction), turn)
        elif name.endswith("_foot") and name in joints:
            toe = joints.get(name.replace("foot", "toe"))
            forward, shank = rotation.rotate(facing, facing.new_tensor([1.0, 0.0, 0.0])), -rotation.rotate(turn, down)
            if toe is not None:
                forward = _toe_direction(positions[toe] - positions[joints[name]], forward, shank)
            turn = _sole(forward, shank)
        rest.append(turn)
    return torch.stack(rest)


def _facing(joints: dict[str, int], positions: Float[Tensor, "joint 3"]) -> Float[Tensor, "4"]:
    """Rotation of the trunk at rest: y along the hips from right to left, z upwards."""
    left = positions[joints["left_thigh"]] - positions[joints["right_thigh"]]
    up = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    left = left - (left * up).sum() * up
    if left.norm() < 1e-6:
        raise MotionError("the hips of the rest pose are above each other, so nothing tells which way it faces.")
    left = left / left.norm()
    return rotation.from_matrix(torch.stack((torch.linalg.cross(left, up), left, up), -1))


def _toe_direction(
    toe: Float[Tensor, "3"], forward: Float[Tensor, "3"], shank: Float[Tensor, "3"]
) -> Float[Tensor, "3"]:
    """Horizontal direction of a foot at rest; straight ahead where the toe is below the ankle or behind it."""
    ahead = (toe - (toe * shank).sum() * shank) * toe.new_tensor([1.0, 1.0, 0.0])
    return ahead / ahead.norm() if (ahead * forward).sum() > 0.3 * toe.norm() else forward


def _sole(forward: Float[Tensor, "3"], shank: Float[Tensor, "3"]) -> Float[Tensor, "4"]:
    """A foot's rotation: x level and forward, z as near the shank as that allows (legs apart tilt the soles)."""
    up = shank - (shank * forward).sum() * forward
    up = up / up.norm()
    return rotation.from_matrix(torch.stack((forward, torch.linalg.cross(up, forward), up), -1))


def _leg_length(character: Character) -> float:
    offsets = {body.name: body.offset for body in character.bodies}
    return -offsets["left_shin"][2] - offsets["left_foot"][2]


def _source_leg_length(joints: dict[str, int], positions: Float[Tensor, "joint 3"], name: str) -> float:
    """Thigh and shin together, the mean of both sides."""
    length = 0.0
    for side in ("left", "right"):
        hip, knee, ankle = (positions[joints[f"{side}_{limb}"]] for limb in ("thigh", "shin", "foot"))
        length += 0.5 * float((knee - hip).norm() + (ankle - knee).norm())
    if length < 1e-6:
        raise MotionError(
            f"{name}: the legs of the rest pose have no length; check the file's offsets or the joint map."
        )
    return length
