"""Latents held by controllers of which the answer is known."""

import torch

from anyskill.controller.bank import bank_places
from anyskill.controller.held import held
from anyskill.motion.library import MotionLibrary
from tests.controller.made_up import Limp, Scripted, arm_clip, library, lie_down


def order_of(motions: MotionLibrary) -> list[int]:
    return bank_places(motions, 60)[0].tolist()


def test_who_does_the_clips_comes_to_what_their_windows_show() -> None:
    motions = library()
    kept = held(Scripted(motions, order_of(motions)), motions)
    assert kept.share == 1.0 and len(kept.clip) == 12
    assert kept.clip[:5] == ("right arm",) * 4 + ("left arm",)
    assert not kept.fallen.any()


def test_who_does_another_clip_does_not() -> None:
    arms = MotionLibrary([arm_clip("up", 7, -3.0, seconds=20.0), arm_clip("back", 7, 0.6, seconds=20.0)])
    kept = held(Scripted(arms, [1 - clip for clip in order_of(arms)]), arms)
    top = kept.error[1:3]  # the windows near the top of the arm's way
    assert (top > kept.error[4:].max()).all()


def test_a_fall_counts_where_the_window_stands() -> None:
    motions = MotionLibrary([arm_clip("arm", 7, -1.5), lie_down()])
    kept = held(Limp(motions, order_of(motions)), motions)
    assert kept.fallen[:4].all() and kept.share < 0.5
    assert not kept.fallen[7]
    assert torch.equal(kept.error > 0, torch.ones(8, dtype=torch.bool))
