"""Windows and how they go on."""

from dataclasses import replace

import torch

from anyskill.body.observation import policy_blocks
from anyskill.controller.windows import Windows
from anyskill.motion.library import MotionLibrary
from tests.controller.made_up import SKELETON, arm_clip

ONE = torch.ones(1, dtype=torch.long)


def windows_of(*names_and_angles: tuple[str, float], seconds: float = 4.0) -> Windows:
    clips = [arm_clip(name, 7, angle, seconds) for name, angle in names_and_angles]
    return Windows(MotionLibrary(clips), 60)


def frames_of(windows: Windows, last: int, *frames: int) -> tuple[list[int], list[bool]]:
    rows, rests = windows.rows(0 * ONE, last * ONE, torch.tensor(frames))
    return rows.tolist(), rests.tolist()


def test_a_window_stays_in_its_last_frame() -> None:
    windows = windows_of(("arm goes up", -1.5))  # up at frame 60, down again at 120
    assert windows.first(0 * ONE, 60 * ONE).item() == 1 and windows.last(0 * ONE, ONE).item() == 60
    rows, rests = frames_of(windows, 80, -30, 5, 20, 80, 81, 95, 500)
    assert rows == [0, 5, 20, 80, 80, 80, 80]  # what lies before the window is the way into it
    assert rests == [False] * 4 + [True] * 3
    moving, resting = (windows.observations(0 * ONE, 80 * ONE, frame * ONE)[0] for frame in (80, 81))
    blocks = policy_blocks(SKELETON)
    for name, block in blocks.items():
        if name in ("linear", "angular"):
            assert moving[block].any() and not resting[block].any()
        else:
            assert torch.equal(moving[block], resting[block])


def test_a_window_that_has_been_as_it_ends_goes_on_from_there() -> None:
    windows = windows_of(("arm swings", -0.6), seconds=1.0)  # there and back: the last frame is as the first
    assert windows.last(0 * ONE, 0 * ONE).item() == 30
    rows, rests = frames_of(windows, 30, 30, 31, 32, 60, 61, 91)
    assert rows == [30, 1, 2, 30, 1, 1]
    assert not any(rests)


def test_which_frame_of_a_clip_is_shown_beyond_a_window() -> None:
    windows = windows_of(("arm swings", -0.6), seconds=1.0)
    shown, _ = windows.shown(0 * ONE, 30 * ONE, torch.tensor([-5, 12, 30, 31, 61]))
    assert shown.tolist() == [-5, 12, 30, 1, 1]
    loop = Windows(MotionLibrary([replace(arm_clip("arm", 7, -1.5), loop=True)]), 60)
    turn = int(loop.library.lengths[0])
    assert loop.shown(0 * ONE, 45 * ONE, torch.tensor([-1, 7, turn + 7]))[0].tolist() == [turn - 1, 7, 7]


def test_windows_that_move_along_may_end_beyond_a_clip() -> None:
    windows = windows_of(("arm goes up", -1.5), ("other arm", -1.5))
    clip = 0 * ONE
    assert [int(windows.onward(clip, frame * ONE)) for frame in (0, 90, 106, 107, 120)] == [0, 90, 106, 106, 106]
    last = windows.last(clip, 106 * ONE)
    assert last == 165 and windows.stop(clip, last) == 120
    end = windows.stop(clip, last)
    frames = torch.tensor([106, 120, 121, 150, 500])
    for ours, theirs in zip(windows.rows(clip, last, frames), windows.rows(clip, end, frames), strict=True):
        assert torch.equal(ours, theirs)
    short = windows_of(("arm", -1.5), seconds=1.0)
    assert [int(short.onward(clip, frame * ONE)) for frame in (0, 9, 20)] == [0, 9, 16]
    assert [int(short.last(clip, first * ONE)) for first in (0, 9, 16)] == [30, 68, 75]  # the whole is padded before it
    assert [int(short.first(clip, last * ONE)) for last in (30, 68, 75)] == [0, 9, 16]
    tiny = windows_of(("arm", -1.5), seconds=0.3)
    assert tiny.onward(clip, 5 * ONE) == 0 and tiny.last(clip, clip) == 9
    library = windows.library
    clips, ends = torch.tensor([0, 0, 1, 0, 0]), torch.tensor([150, 165, 165, 150, 120])
    some, number = library.distinct_windows(clips, ends, 60)
    assert len(some) == 4
    assert torch.equal(clips[some][number], clips) and torch.equal(ends[some][number], ends)


def test_a_loop_goes_on_as_a_loop() -> None:
    library = MotionLibrary([replace(arm_clip("arm", 7, -1.5), loop=True)])
    windows = Windows(library, 60)
    frames = torch.tensor([-1, 0, 119, 120, 500])
    rows, rests = windows.rows(0 * ONE, 45 * ONE, frames)
    assert torch.equal(rows, library.rows(0 * ONE, frames))
    assert not rests.any()


def test_a_body_enters_where_it_is_most_like_the_clip() -> None:
    windows = windows_of(("arm goes up", -1.5), seconds=8.0)  # up at frame 120
    library = windows.library
    clip, last = torch.zeros(5, dtype=torch.long), torch.full((5,), 130)
    bodies = torch.tensor([0, 30, 62, 110, 240])  # the last is as in the first frame, the arm down
    entry = windows.entry(clip, last, library.observations[bodies])
    assert (entry[:4] - bodies[:4]).abs().max() <= 2
    assert entry[4] <= 12  # and not in the window, which shows the arm near its top
    early = windows.entry(clip, last + 100, library.observations[0 * bodies])
    assert (early >= 230 - 59 - 120).all()  # no more than four seconds before the window


def test_into_a_loop_one_enters_in_step() -> None:
    library = MotionLibrary([replace(arm_clip("arm", 7, -1.5), loop=True)])
    entry = Windows(library, 60).entry(0 * ONE, 20 * ONE, library.observations[[90]])
    assert abs(int(entry) % 120 - 90) <= 2
