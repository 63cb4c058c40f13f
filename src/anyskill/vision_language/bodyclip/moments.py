"""Bodies to look at: moments of motions, the same with arms and legs of others, and random but plausible poses.

A *moment* is a state with the states just before it, oldest first, at equal intervals. Everything is made at the level
of joint angles and put on the ground again, so that velocities, taken by differences, belong to what is seen.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID
from anyskill.body.mirror import AXIAL, POLAR, QUATERNION, swapped_bodies
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.motion.ground import lowest_points
from anyskill.motion.library import SHOWING, MotionLibrary
from anyskill.vision_language.model import VisionLanguageError

INTERVALS = (0.2, 0.1, 0.3)
"""Seconds between two moments of a history, that towers learn with."""
STOPPED = 0.2
"""Share of histories in which nothing moves, made of others: what moves must be told from what looks the same."""
_SKELETON = skeleton_of(HUMANOID)
_LIMBS = {  # joints, and the chance that a random pose takes them from another body, and from nobody
    "right arm": (("right_upper_arm", "right_lower_arm"), 0.35, 0.45),
    "left arm": (("left_upper_arm", "left_lower_arm"), 0.35, 0.45),
    "right leg": (("right_thigh", "right_shin", "right_foot"), 0.25, 0.25),
    "left leg": (("left_thigh", "left_shin", "left_foot"), 0.25, 0.25),
    "trunk": (("torso",), 0.2, 0.3),
    "head": (("head",), 0.2, 0.4),
}
_RANGE = {"trunk": 0.7, "right leg": 0.8, "left leg": 0.8}  # share of the joints' range that random angles use
_SWAP = swapped_bodies(_SKELETON)
_REACH = 2  # library frames before and after, over which velocities are taken
_FRONT = 0.6  # share of bodies that face the camera, more or less
_RESTLESS = 0.3  # m/s; what is slower for most of a motion is a pose that is held
_HURRY = 0.5  # share of a motion's high speeds, from which on it shows what it is called
_SLOWED = 0.4  # share of its way that what is slowed goes at most


@dataclass(frozen=True)
class Moments:
    """Bodies with a short history, and the motion they are of."""

    states: BodyState  # (n, moment); the pelvis is above the origin at the end
    clip: Int[Tensor, "n"]  # -1 where limbs were exchanged, or where a motion has not come to its point yet
    mirrored: Bool[Tensor, "n"]


class MomentSampler:
    """Draws moments from a library of motions.

    Args:
        library: Of the plain humanoid.
        clips: The motions to draw from; limbs are exchanged only among them.
        kept: Share of moments that are left as the motion has them; of the others, half get other arms, and half
            become random poses, at rest, on their way from one to another, or to and fro between them.

    Of histories, a fifth are others of the same draw held still: what differs from them in nothing but that it moves.
    """

    def __init__(self, library: MotionLibrary, clips: Bool[Tensor, "clip"], kept: float = 0.35) -> None:
        if not clips.any():
            raise VisionLanguageError("there is no motion to draw moments from.")
        self.library, self.factors, self.kept = library, clips.double(), kept
        self.pace = _pace(library)

    def sample(self, count: int, frames: int, interval: float, generator: torch.Generator) -> Moments:
        """Moments of ``frames`` states, ``interval`` seconds apart (in whole frames of the library)."""
        twins = int(STOPPED * count) if frames > 1 else 0
        drawn = count - twins
        clip, frame = self.library.sample(drawn, generator, factors=self.factors)
        step = round(interval * self.library.fps)
        past = step * torch.arange(1 - frames, 1)
        around = torch.tensor([-_REACH, 0, _REACH])
        times = (frame[:, None, None] + past[:, None] + around).clamp_min(0)
        original = self.library.states(clip[:, None, None].expand_as(times), times)
        kind = torch.rand(drawn, generator=generator)
        change = kind >= self.kept
        wild = kind >= 0.5 + 0.5 * self.kept
        seconds = (times - frame[:, None, None]) / self.library.fps
        states = _exchanged(original, change, wild, seconds, generator)
        moments = with_velocities(states, 2 * _REACH / self.library.fps)
        mirrored = torch.rand(drawn, generator=generator) < 0.5
        moments = _where(mirrored, mirror(moments), moments)
        clip = torch.where(self.library.shows(clip, frame) & ~change, clip, -1)
        of = torch.randint(drawn, (twins,), generator=generator)
        moments = BodyState.cat((stopped(moments[of]), moments))
        called = torch.where(self.pace[clip[of]] > 0, -1, clip[of])
        clip, mirrored = torch.cat((called, clip)), torch.cat((mirrored[of], mirrored))
        return Moments(placed(moments, _random_yaw(count, generator)), clip, mirrored)

    def labels_of(self, moments: Moments) -> list[tuple[str, ...]]:
        """What the motion of each moment is called, if the moment shows it; one picture shows no movement."""
        speed = _speed(moments.states).amax(1) * (moments.states.batch_shape[1] > 1)
        shown = (moments.clip >= 0) & (speed >= self.pace[moments.clip])
        called = (
            self.library.labels[clip] if told else ()
            for clip, told in zip(moments.clip.tolist(), shown.tolist(), strict=True)
        )
        return [
            tuple(map(other_sides, labels)) if mirrored else labels
            for labels, mirrored in zip(called, moments.mirrored.tolist(), strict=True)
        ]


def _pace(library: MotionLibrary) -> Float[Tensor, "clip"]:
    """The speed (m/s) from which on motions show what they are called: zero of a pose that they come to and hold.

    A march may pause, and its pauses are no march.
    """
    clip = torch.arange(len(library), device=library.device)[:, None]
    frames = (library.lengths[:, None] * torch.linspace(*SHOWING, 17, device=library.device)).long()
    speed = _speed(library.states(clip.expand_as(frames), frames))
    return torch.where(speed.median(-1).values > _RESTLESS, _HURRY * speed.quantile(0.9, -1), 0.0)


def _speed(states: BodyState) -> Float[Tensor, "*batch"]:
    """Of the fastest point about 0.25 m from a joint, in m/s."""
    speed = states.linear_velocities.norm(dim=-1) + 0.25 * states.angular_velocities.norm(dim=-1)
    return speed.amax(-1)


def all_labels(labels: Iterable[tuple[str, ...]]) -> list[str]:
    """Every label of some motions and of their mirror images, once, in order."""
    return sorted({text for called in labels for label in called for text in (label, other_sides(label))})


def other_sides(text: str) -> str:
    """Right becomes left and left becomes right."""
    sides = {"right": "left", "left": "right"}
    return " ".join(sides.get(word, word) for word in text.split(" "))


def mirror(state: BodyState) -> BodyState:
    """The image in the xz plane."""
    return BodyState(
        state.positions[..., _SWAP, :] * POLAR,
        state.rotations[..., _SWAP, :] * QUATERNION,
        state.linear_velocities[..., _SWAP, :] * POLAR,
        state.angular_velocities[..., _SWAP, :] * AXIAL,
        state.contact_forces[..., _SWAP, :] * POLAR,
    )


def stopped(moments: BodyState) -> BodyState:
    """Histories ``(n, moment)`` in which all is all the time as it is at the end, and nothing moves."""
    end = moments[:, [-1] * moments.batch_shape[1]]
    still = torch.zeros_like(end.positions)
    return replace(end, linear_velocities=still, angular_velocities=still)


def slowed(moments: BodyState, generator: torch.Generator) -> BodyState:
    """Histories ``(n, moment)`` that come to the same end, but a shorter way: two fifths of it at most.

    Whoever moves as far as is meant must be told from who moves a little, or a tremble would do.
    """
    share = _SLOWED * torch.rand(moments.batch_shape[0], 1, 1, 1, generator=generator)
    end = moments[:, [-1] * moments.batch_shape[1]]
    return replace(
        moments,
        positions=torch.lerp(end.positions, moments.positions, share),
        rotations=rotation.slerp(end.rotations, moments.rotations, share[..., 0]),
        linear_velocities=share * moments.linear_velocities,
        angular_velocities=share * moments.angular_velocities,
    )


def unsteady(states: BodyState, generator: torch.Generator) -> BodyState:
    """The same with a little speed of nothing, as nobody stands quite still: up to 0.1 m/s and 0.3 rad/s, more or less.

    Histories ``(n, moment)``. Otherwise whatever moves at all, as simulated bodies do, would be taken for movement.
    """
    size = torch.rand(states.batch_shape[0], 1, 1, 1, generator=generator)
    noise = torch.randn(2, *states.positions.shape, generator=generator)
    return replace(
        states,
        linear_velocities=states.linear_velocities + 0.05 * size * noise[0],
        angular_velocities=states.angular_velocities + 0.15 * size * noise[1],
    )


def turned(state: BodyState, yaw: Float[Tensor, "*batch"]) -> BodyState:
    """Turned about the vertical through the origin."""
    half = 0.5 * yaw
    zero = torch.zeros_like(half)
    turn = torch.stack((torch.cos(half), zero, zero, torch.sin(half)), -1)[..., None, :]
    return BodyState(
        rotation.rotate(turn, state.positions),
        rotation.multiply(turn.expand_as(state.rotations), state.rotations),
        *(rotation.rotate(turn, v) for v in (state.linear_velocities, state.angular_velocities, state.contact_forces)),
    )


def placed(moments: BodyState, yaw: Float[Tensor, "n"]) -> BodyState:
    """Histories ``(n, moment)`` moved and turned: at the end, the pelvis is above the origin and faces ``yaw``."""
    shift = moments.positions[:, -1:, :1] * moments.positions.new_tensor([1.0, 1.0, 0.0])
    yaw = yaw - rotation.heading(moments.rotations[:, -1, 0])
    moved = replace(moments, positions=moments.positions - shift)
    return turned(moved, yaw[:, None].expand(moments.batch_shape))


def _exchanged(
    original: BodyState,
    change: Bool[Tensor, "n"],
    wild: Bool[Tensor, "n"],
    seconds: Float[Tensor, "n moment around"],
    generator: torch.Generator,
) -> BodyState:
    """States with limbs of others where ``change`` says so: arms only, or any limb and random angles if ``wild``."""
    count = len(change)
    local = _SKELETON.local_rotations(original.rotations)
    dofs = _SKELETON.dofs_from_rotations(local)
    donor = dofs[torch.randperm(count, generator=generator)]
    drawn = _random_paths(count, seconds, generator)
    for limb, (joints, foreign, random) in _LIMBS.items():
        arm = limb.endswith("arm")
        chance = torch.rand(count, generator=generator)
        from_donor = torch.where(wild, chance < foreign, chance < (0.8 if arm else 0.0)) & change
        from_nobody = wild & (chance > 1.0 - random)
        for joint in joints:
            dof = _SKELETON.dof_slices[_SKELETON.index(joint)]
            share = _RANGE.get(limb, 1.0)
            dofs[..., dof] = torch.where(from_donor[:, None, None, None], donor[..., dof], dofs[..., dof])
            dofs[..., dof] = torch.where(from_nobody[:, None, None, None], share * drawn[..., dof], dofs[..., dof])
    new = _SKELETON.rotations_from_dofs(original.rotations[..., 0, :], dofs)
    local = torch.where(change[:, None, None, None, None], new, local)
    root = original.positions[..., 0, :]
    positions, rotations = _SKELETON.forward(root, local)
    clearance = lowest_points(HUMANOID, original.positions, original.rotations).amin(-1).clamp_min(0.0)
    shift = clearance - lowest_points(HUMANOID, positions, rotations).amin(-1)
    root = root + torch.where(change[:, None, None], shift, 0.0)[..., None] * root.new_tensor([0.0, 0.0, 1.0])
    return BodyState.at_rest(_SKELETON, root, local)


def _random_paths(
    count: int, seconds: Float[Tensor, "n moment around"], generator: torch.Generator
) -> Float[Tensor, "n moment around dof"]:
    """Joint angles anywhere within their limits: at rest, on their way to others, or to and fro between the two."""
    low, high = _SKELETON.limits.float().unbind(-1)
    first, second = low + torch.rand(2, count, len(low), generator=generator) * (high - low)
    kind, speed, begin, far = torch.rand(4, count, 1, 1, generator=generator)
    way = (0.5 + 0.3 * begin + (0.3 + 2.0 * speed) * seconds).clamp(0.0, 1.0)
    round_trips = 1.0 + 2.0 * speed  # a second
    swing = (0.2 + 0.8 * far) * (0.5 + 0.5 * torch.sin(2 * torch.pi * (round_trips * seconds + begin)))
    way = torch.where(kind < 0.35, 0.0, torch.where(kind < 0.65, way, swing))
    return torch.lerp(first[:, None, None], second[:, None, None], way[..., None])


def with_velocities(states: BodyState, span: float) -> BodyState:
    """The middle of three states along the last axis, with velocities from the difference of the outer ones.

    Args:
        states: ``(n, moment, 3)``.
        span: Seconds between the outer ones.
    """
    linear = (states.positions[:, :, 2] - states.positions[:, :, 0]) / span
    step = rotation.multiply(states.rotations[:, :, 2], rotation.conjugate(states.rotations[:, :, 0]))
    angular = rotation.to_rotation_vector(step) / span
    middle = states[:, :, 1]
    return BodyState(middle.positions, middle.rotations, linear, angular, torch.zeros_like(linear))


def _random_yaw(count: int, generator: torch.Generator) -> Float[Tensor, "n"]:
    """Most bodies face the camera more or less, the others any way."""
    frontal = torch.rand(count, generator=generator) < _FRONT
    near = 0.6 * torch.randn(count, generator=generator)
    return torch.where(frontal, near, 2 * torch.pi * torch.rand(count, generator=generator))


def _where(mask: Bool[Tensor, "n"], first: BodyState, second: BodyState) -> BodyState:
    """Of each row, the first if the mask says so, else the second."""
    chosen = mask[:, None, None, None]
    names = (field.name for field in fields(BodyState))
    return BodyState(*(torch.where(chosen, getattr(first, name), getattr(second, name)) for name in names))
