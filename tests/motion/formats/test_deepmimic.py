import json
import math

import pytest
import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.errors import MotionFormatError
from anyskill.motion.formats.deepmimic import read_deepmimic
from tests.motion.formats import samples

SKELETON = skeleton_of(HUMANOID)


def read(tmp_path, rows, **content):
    path = tmp_path / "test.txt"
    path.write_text(json.dumps({"Frames": rows, **content}))
    return read_deepmimic(path)


def body(clip, name: str, frame: int = 0) -> list[float]:
    return SKELETON.forward(clip.root_positions, clip.rotations)[0][frame, SKELETON.index(name)].tolist()


def test_standing_is_our_rest_pose(tmp_path) -> None:
    clip = read(tmp_path, [samples.deepmimic_row()] * 2)
    torch.testing.assert_close(clip.rotations[..., 0], torch.ones(2, 15, dtype=torch.float64))
    assert clip.root_positions.tolist() == [[0, 0, 0.9]] * 2
    assert (clip.fps, clip.loop, clip.name) == (30, False, "test")


def test_knees_bend_backwards_and_elbows_forwards(tmp_path) -> None:
    row = samples.deepmimic_row(right_knee=(-math.pi / 2,), left_elbow=(math.pi / 2,))
    clip = read(tmp_path, [row] * 2)
    assert body(clip, "right_foot")[0] == pytest.approx(-0.409870)
    assert body(clip, "left_hand")[0] == pytest.approx(-0.02405 + 0.258947)
    assert body(clip, "left_foot")[0] == pytest.approx(0)


def test_axes(tmp_path) -> None:
    # Right is +z in the file and −y here; forward is +x in both.
    half = math.sqrt(0.5)
    row = samples.deepmimic_row(root=(1.0, 2.0, 3.0), right_hip=(half, half, 0.0, 0.0))  # 90° about the file's +x
    clip = read(tmp_path, [row] * 2)
    assert clip.root_positions[0].tolist() == [1, -3, 2]
    x, y, z = (a - b for a, b in zip(body(clip, "right_shin"), body(clip, "right_thigh"), strict=True))
    # (0, −l, 0) turned by 90° about +x is (0, 0, −l): to the left.
    assert (x, y, z) == pytest.approx((0, 0.421546, 0), abs=1e-9)
    turned = read(tmp_path, [samples.deepmimic_row(root_rotation=(half, 0.0, half, 0.0))] * 2)  # about the vertical
    assert body(turned, "left_thigh")[0] == pytest.approx(-0.084887)  # left has become behind


def test_loop(tmp_path) -> None:
    assert read(tmp_path, [samples.deepmimic_row()] * 2, Loop="wrap").loop
    assert not read(tmp_path, [samples.deepmimic_row()] * 2, Loop="none").loop


def test_frames_that_last_differently_are_resampled(tmp_path) -> None:
    rows = [
        samples.deepmimic_row(0.1, root=(0.0, 1.0, 0.0)),
        samples.deepmimic_row(0.2, root=(1.0, 1.0, 0.0)),
        samples.deepmimic_row(0.0, root=(3.0, 1.0, 0.0), right_knee=(-1.0,)),  # the last one's duration is not used
    ]
    clip = read(tmp_path, rows)
    assert clip.fps == 10
    assert clip.root_positions[:, 0].tolist() == pytest.approx([0, 1, 2, 3])
    knee = SKELETON.dofs_from_rotations(clip.rotations)[:, SKELETON.dof_slices[SKELETON.index("right_shin")]]
    assert knee[:, 0].tolist() == pytest.approx([0, 0, 0.5, 1])


def test_quaternions_are_scaled_to_unit_length(tmp_path) -> None:
    clip = read(tmp_path, [samples.deepmimic_row(chest=(0.6, 0.0, 0.0, 0.6))] * 2)
    half = 0.5**0.5
    torso = clip.rotations[0, SKELETON.index("torso")].tolist()
    assert torso == pytest.approx([half, 0, -half, 0])  # about +z there is about −y here


@pytest.mark.parametrize(
    ("rows", "content", "message"),
    [
        ([samples.deepmimic_row()], {}, "1 frames"),
        ([samples.deepmimic_row(), [1.0] * 43], {}, "frame 1 is not a list of 44 numbers"),
        ([samples.deepmimic_row(), ["a"] * 44], {}, "frame 1 holds something that is not a number"),
        ([samples.deepmimic_row(), [True] * 44], {}, "not a number"),
        ([samples.deepmimic_row(root=(float("nan"), 0.0, 0.0))] * 2, {}, "not finite"),
        ([samples.deepmimic_row(chest=(0.0, 0.0, 0.0, 0.0))] * 2, {}, "rotation of the torso of frame 0"),
        ([samples.deepmimic_row(-1.0)] * 2, {}, "must last longer"),
        ([samples.deepmimic_row(0.002), samples.deepmimic_row(1e5)] * 2, {}, "resampling would need too many"),
        ([samples.deepmimic_row()] * 2, {"Loop": "maybe"}, "Loop"),
        ({"a": 1}, {}, "no list of Frames"),
    ],
)
def test_faults_are_named(tmp_path, rows, content, message) -> None:
    with pytest.raises(MotionFormatError, match=r"test\.txt") as caught:
        read(tmp_path, rows, **content)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ['{"Frames": [[1, 2', "[" * 100_000, '{"Frames": [[' + "9" * 10_000 + "]]}", "[1, 2]"])
def test_broken_json(tmp_path, text) -> None:
    (tmp_path / "test.txt").write_text(text)
    with pytest.raises(MotionFormatError, match=r"test\.txt"):
        read_deepmimic(tmp_path / "test.txt")
