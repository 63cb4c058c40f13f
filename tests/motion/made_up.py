"""Motions made by formula, so that tests know what is true of them."""

import math

import torch
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.clip import Clip
from anyskill.motion.source import SourceMotion

SKELETON = skeleton_of(HUMANOID)
FPS = 30.0
CMU = {
    "pelvis": "Hips",
    "torso": "Spine1",
    "head": "Head",
    **{f"{side}_{ours}": f"{side.title()}{theirs}" for side in ("left", "right") for ours, theirs in (
        ("upper_arm", "Arm"), ("lower_arm", "ForeArm"), ("hand", "Hand"),
        ("thigh", "UpLeg"), ("shin", "Leg"), ("foot", "Foot"),
    )},
}  # fmt: skip


def positions(clip: Clip) -> Tensor:
    return SKELETON.forward(clip.root_positions, clip.rotations)[0]


def busy(frames: int = 90, seed: int = 0) -> Clip:
    """Every joint swings within its limits; knees and elbows stay bent; the root wanders and turns."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(frames, dtype=torch.float64)[:, None] / FPS
    speed, phase = torch.rand(2, SKELETON.num_dof, generator=generator, dtype=torch.float64)
    swing = torch.sin(2 * math.pi * (0.3 + 0.7 * speed) * time + 6 * phase)
    dofs = 0.35 * swing
    for name, sign in (("elbow", -1.0), ("knee", 1.0)):
        limb = "lower_arm" if name == "elbow" else "shin"
        for side in ("right", "left"):
            slot = SKELETON.dof_slices[SKELETON.index(f"{side}_{limb}")]
            dofs[:, slot] = sign * (1.0 + 0.5 * swing[:, slot])
    turn = rotation.from_rotation_vector(torch.cat((0.2 * swing[:, :2], 0.3 * time), -1))
    root = torch.cat((0.5 * time, 0.1 * swing[:, :1], 0.9 + 0.02 * swing[:, 1:2]), -1)
    return Clip("busy", FPS, root, SKELETON.rotations_from_dofs(turn, dofs))


def as_source(clip: Clip, scale: float = 1.0, yaw: float = 0.0) -> SourceMotion:
    """A clip as a file of CMU's names would hold it: in a T-pose with the legs apart, of any size, facing anywhere.

    With T the world rotations of that rest pose, offsets are T·offset and world rotations q·T⁻¹.
    """
    rest = rotation.identity(SKELETON.num_bodies, dtype=torch.float64)
    for name, angle in (
        ("left_upper_arm", 90.0),
        ("right_upper_arm", -90.0),
        ("left_thigh", 12.0),
        ("right_thigh", -12.0),
    ):
        rest[SKELETON.index(name)] = rotation.from_euler(torch.tensor([math.radians(angle)]).double(), "X")
    _, rest = SKELETON.forward(torch.zeros(3, dtype=torch.float64), rest)
    turn = rotation.from_euler(torch.tensor([yaw], dtype=torch.float64), "Z")
    rest = rotation.multiply(turn.expand_as(rest), rest)
    _, world = SKELETON.forward(clip.root_positions, clip.rotations)
    world = rotation.multiply(world, rotation.conjugate(rest))
    offsets = rotation.rotate(rest[list(SKELETON.parents)], SKELETON.offsets) * scale
    names, parents = [CMU[name] for name in SKELETON.names], list(SKELETON.parents)
    for side in ("left", "right"):
        foot = SKELETON.index(f"{side}_foot")
        names.append(f"{side.title()}ToeBase")
        parents.append(foot)
        toe = rotation.rotate(rest[foot], torch.tensor([0.13, 0.0, -0.04], dtype=torch.float64))
        offsets = torch.cat((offsets, scale * toe[None]))
    local = SKELETON.local_rotations(world)
    toes = rotation.identity(len(local), 2, dtype=torch.float64)
    return SourceMotion(
        tuple(names),
        tuple(parents),
        offsets,
        rotation.identity(len(names), dtype=torch.float64),
        torch.cat((local, toes), 1),
        clip.root_positions * scale,
        clip.fps,
    )


def squats(frames: int = 90) -> Clip:
    """Two squats on feet that never move: clean by construction."""
    time = torch.arange(frames, dtype=torch.float64) / FPS
    bend = 0.45 - 0.35 * torch.cos(2 * math.pi * time / 1.5)
    dofs = torch.zeros(frames, SKELETON.num_dof, dtype=torch.float64)
    for side in ("right", "left"):
        for body, angle in (("thigh", -bend), ("shin", 2 * bend), ("foot", -bend)):
            slot = SKELETON.dof_slices[SKELETON.index(f"{side}_{body}")]
            dofs[:, slot.start + (0 if body == "shin" else 1)] = angle
    local = SKELETON.rotations_from_dofs(rotation.identity(frames, dtype=torch.float64), dofs)
    feet = SKELETON.forward(torch.zeros(frames, 3, dtype=torch.float64), local)[0][:, SKELETON.index("left_foot")]
    root = -feet * torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64)
    root[:, 2] += 0.05  # from the ankle to the sole
    return Clip("squats", FPS, root, local)


def jump(flight: float = 0.5) -> Clip:
    """Squats with a free flight of so many seconds in the middle; its height is g·flight²/8."""
    clip = squats()
    frames = round(flight * FPS)
    middle = 45  # the legs are nearly straight
    time = torch.arange(frames + 1, dtype=torch.float64) / FPS
    arc = 0.5 * 9.81 * time * (flight - time)
    index = torch.cat((torch.arange(middle), torch.full((frames + 1,), middle), torch.arange(middle, clip.num_frames)))
    root = clip.root_positions[index]
    root[middle : middle + frames + 1, 2] += arc
    return Clip("jump", FPS, root, clip.rotations[index])
