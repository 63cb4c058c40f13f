"""Conditions of movement: each looks back over the last moments, and holds at their end.

As in ``poses``: pure functions of a ``Track``. Metres, degrees, seconds.
"""

import torch

from anyskill.evaluate.poses import Holds, arm_towards, elbow_bent, hand_above, hands_together, vector
from anyskill.evaluate.track import Side, Track, change, frames, lasting, recently, reversals


def moving(track: Track, direction: str, speed: float = 0.3, seconds: float = 2.0) -> Holds:
    """The pelvis travels so fast, as seen from the body; mean over the last seconds (m/s)."""
    along = (track.velocity(track.position("pelvis")) * vector(track, direction)).sum(-1)
    way = change(along.cumsum(0), seconds) / frames(seconds)
    return way >= speed


def stepping(track: Track, times: int = 3, seconds: float = 2.0) -> Holds:
    """The feet were lifted in turn, so often: their ankles' difference in height went to and fro by 4 cm."""
    difference = track.position("right_foot")[..., 2] - track.position("left_foot")[..., 2]
    return reversals(difference, 0.04, seconds) >= times


def turning(track: Track, direction: str, least: float = 60.0, seconds: float = 3.0) -> Holds:
    """The hips have turned so far to the left, to the right, or to either side, within the last seconds."""
    turned = change(track.heading, seconds)
    if direction == "either":
        return turned.abs() >= least
    return vector(track, direction)[1] * turned >= least


def airborne(track: Track, height: float = 0.04) -> Holds:
    """All of the body is so far above the ground, and the hips are above 0.5 m."""
    return (track.clearance() >= height) & (track.position("pelvis")[..., 2] > 0.5)


def kicking(track: Track, side: Side, direction: str = "forward", speed: float = 1.2, height: float = 0.2) -> Holds:
    """The foot, off the ground by ``height``, moves that fast (m/s) in the direction, as seen from the pelvis."""
    leg = track.position(f"{side}_foot") - track.position("pelvis")
    fast = (track.velocity(leg) * vector(track, direction, side)).sum(-1) >= speed
    return recently(fast, 0.3) & (track.clearance(f"{side}_foot") >= height)


def hand_moving(track: Track, side: Side, direction: str, speed: float = 1.0) -> Holds:
    """The hand moves that fast (m/s) in the direction, as seen from the pelvis."""
    hand = track.position(f"{side}_hand") - track.position("pelvis")
    return (track.velocity(hand) * vector(track, direction, side)).sum(-1) >= speed


def punching(track: Track, side: Side, speed: float = 1.5) -> Holds:
    """The arm, bent before, has shot forward (m/s) and is stretched out; the hand was not above the head: no throw."""
    bent = recently(elbow_bent(track, side, least=70), 0.6)
    high = recently(hand_above(track, side), 0.6)
    fast = recently(hand_moving(track, side, "forward", speed), 0.3)
    stretched = arm_towards(track, side, "forward", within=40) & ~elbow_bent(track, side, least=40)
    return bent & ~high & fast & stretched


def waving(track: Track, side: Side, times: int = 2, seconds: float = 2.0) -> Holds:
    """The hand stayed above the shoulder and went from side to side: it turned back so often after 8 cm or more."""
    hand = track.along(track.position(f"{side}_hand") - track.position(f"{side}_upper_arm"))
    high = lasting(hand_above(track, side, "shoulder"), seconds)
    return high & (reversals(hand[..., 1], 0.08, seconds) >= times)


def swinging(track: Track, side: Side, times: int = 3, least: float = 0.25, seconds: float = 3.0) -> Holds:
    """The hand, seen from the shoulder, went to and fro or up and down so often, by ``least`` or more."""
    arm = track.arm(side)
    turns = [reversals(arm[..., axis], least, seconds) for axis in range(3)]
    return torch.stack(turns).amax(0) >= times


def clapping(track: Track, times: int = 2, seconds: float = 2.0) -> Holds:
    """The hands met so often, and parted by 15 cm or more in between."""
    distance = (track.position("right_hand") - track.position("left_hand")).norm(dim=-1)
    return recently(hands_together(track), 0.3) & (reversals(distance, 0.15, seconds) >= 2 * times - 1)


def circling(track: Track, side: Side, least: float = 0.65, seconds: float = 3.0) -> Holds:
    """The arm swept so much area (m²): a flat round of a stretched arm is 0.9; to and fro on one path is 0."""
    arm = track.arm(side)
    swept = 0.5 * torch.linalg.cross(arm[:-1], arm[1:])
    return change(torch.cat((torch.zeros_like(arm[:1]), swept)).cumsum(0), seconds).norm(dim=-1) >= least


def nodding(track: Track, times: int = 3, seconds: float = 2.5) -> Holds:
    """The face went up and down against the chest so often, by 12° or more."""
    head, torso = (track.axis(body, (1.0, 0.0, 0.0)).clamp(-1, 1) for body in ("head", "torso"))
    tilt = torch.rad2deg(torch.asin(head[..., 2]) - torch.asin(torso[..., 2]))
    return reversals(tilt, 12, seconds) >= times


def shaking_head(track: Track, times: int = 3, seconds: float = 2.5) -> Holds:
    """The face went left and right of the chest so often, by 20° or more."""
    head, torso = (track.axis(body, (1.0, 0.0, 0.0)) for body in ("head", "torso"))
    aside = torch.atan2(head[..., 1], head[..., 0]) - torch.atan2(torso[..., 1], torso[..., 0])
    return reversals(torch.rad2deg(aside), 20, seconds) >= times


def bobbing(track: Track, times: int = 3, least: float = 0.15, seconds: float = 5.0) -> Holds:
    """The hips went down and up so often, by ``least`` or more."""
    return reversals(track.position("pelvis")[..., 2], least, seconds) >= times
