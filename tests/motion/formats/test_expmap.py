import math

import pytest
import torch

from anyskill.motion.errors import MotionFormatError
from anyskill.motion.formats.expmap import read_expmap

UNIT = 0.0254 / 0.45
T_POSE = {"LeftUpLeg": (0.0, 0.0, math.radians(20)), "RightUpLeg": (0.0, 0.0, -math.radians(20))}


def row(names, root=(0.0, 17.0, 0.0), **joints) -> str:
    values = [*root]
    for name in names:
        values += joints.get(name, (0.0, 0.0, 0.0))
    return ",".join(f"{value:.9g}" for value in values)


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    path = tmp_path_factory.mktemp("expmap") / "a.txt"
    path.write_text("\n".join([",".join(["0"] * 117)] * 2))
    return read_expmap(path).names


def read(tmp_path, *rows: str):
    (tmp_path / "test.txt").write_text("\n".join(rows) + "\n")
    return read_expmap(tmp_path / "test.txt")


def test_first_row_is_the_rest_pose(tmp_path, names) -> None:
    assert len(names) == 38
    motion = read(tmp_path, row(names, **T_POSE), row(names, (0.0, 16.5, 1.0)))
    assert motion.num_frames == 1 and motion.fps == 120
    assert motion.root_positions[0].tolist() == pytest.approx([UNIT, 0, 16.5 * UNIT])
    positions = motion.rest_world()[0]
    at = {name: positions[i] for i, name in enumerate(motion.names)}
    # The legs, apart by 20° where all rotations are zero, hang straight down.
    assert (at["LeftUpLeg"] - at["LeftFoot"])[1].abs() < 0.01
    assert (at["LeftUpLeg"] - at["LeftFoot"])[2] > 0.8
    assert at["LeftHand"][1] > 0.5 and at["RightHand"][1] < -0.5
    assert at["LeftToeBase"][0] > at["LeftFoot"][0] + 0.1


def test_rotation_vectors_turn_the_other_way(tmp_path, names) -> None:
    motion = read(tmp_path, row(names), row(names, Hips=(0.0, -math.pi / 2, 0.0), LeftForeArm=(0.0, math.pi / 2, 0.0)))
    positions = motion.world()[0][0]
    at = {name: positions[i] for i, name in enumerate(motion.names)}
    assert (at["LeftToeBase_end"] - at["LeftToeBase"])[1] > 0.05  # a quarter turn to the left: facing +y
    forearm = at["LeftHand"] - at["LeftForeArm"]
    torch.testing.assert_close(forearm, torch.tensor([0.0, 3.356 * UNIT, 0.0]).double())  # bent forward


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: [rows[0], rows[1] + ",1"], "line 2: expected 117 comma-separated columns, but found 118"),
        (lambda rows: [rows[0], rows[1].replace("17", "x")], "line 2: expected a number, but found 'x'"),
        (lambda rows: [rows[0], rows[1].replace("17", "")], "line 2: expected a number, but found ''"),
        (lambda rows: [rows[0], rows[1].replace("17", "nan")], "line 2: a number is not finite"),
        (lambda rows: rows[:1], "no frame after"),
        (lambda rows: ["some notes"], "line 1: expected 117"),
    ],
)
def test_faults_are_named(tmp_path, names, change, message) -> None:
    with pytest.raises(MotionFormatError, match=r"test\.txt") as caught:
        read(tmp_path, *change([row(names), row(names)]))
    assert message in str(caught.value)
