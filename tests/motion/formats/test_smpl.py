import io
import math
import zipfile

import numpy as np
import pytest

from anyskill.motion.errors import MotionFormatError
from anyskill.motion.formats.smpl import read_smpl

UPRIGHT = (math.pi / 2, 0.0, 0.0)  # from the model's y up to AMASS's z up: facing −y


def arrays(columns: int = 156, **changes):
    poses = np.zeros((4, columns))
    poses[:, :3] = UPRIGHT
    return {"poses": poses, "trans": np.tile([0.0, 0.0, 0.9], (4, 1)), "mocap_framerate": 120.0, **changes}


def read(tmp_path, content, **arguments):
    np.savez(tmp_path / "test.npz", **{k: v for k, v in content.items() if v is not None})
    return read_smpl(tmp_path / "test.npz", **arguments)


def at(motion, name: str) -> list[float]:
    return motion.world()[0][0, motion.names.index(name)].tolist()


@pytest.mark.parametrize("columns", [66, 72, 156, 165])
def test_t_pose_stands_on_the_ground(tmp_path, columns) -> None:
    motion = read(tmp_path, arrays(columns))
    assert motion.fps == 120 and len(motion.names) == 22
    assert at(motion, "head")[2] == pytest.approx(0.93 + 0.58)
    assert at(motion, "left_foot")[2] == pytest.approx(0, abs=0.02)
    assert at(motion, "left_wrist")[0] == pytest.approx(0.685)  # left is +x where the body faces −y
    assert at(motion, "left_foot")[1] < at(motion, "left_ankle")[1] - 0.1  # toes
    rest = motion.rest_world()[0]
    assert rest[motion.names.index("head"), 2] > 0.5
    assert rest[motion.names.index("left_wrist"), 1] > 0.6


def test_joints_turn_about_their_own_axes(tmp_path) -> None:
    content = arrays()
    content["poses"][:, 3 * 18 : 3 * 18 + 3] = (0.0, -math.pi / 2, 0.0)  # the left elbow: the forearm points forward
    motion = read(tmp_path, content)
    elbow, wrist = at(motion, "left_elbow"), at(motion, "left_wrist")
    assert [round(b - a, 6) for a, b in zip(elbow, wrist, strict=True)] == [0, -0.25, 0.01]


def test_y_up_and_separate_arrays(tmp_path) -> None:
    body = {"root_orient": np.zeros((4, 3)), "pose_body": np.zeros((4, 63)), "trans": np.tile([1.0, 0.9, 2.0], (4, 1))}
    motion = read(tmp_path, {**body, "mocap_frame_rate": np.array([60])}, up="y")
    assert motion.fps == 60
    assert motion.root_positions[0].tolist() == pytest.approx([2.03, 1.0, 0.68])
    assert at(motion, "head")[2] - at(motion, "pelvis")[2] == pytest.approx(0.58)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"poses": None}, "neither poses nor pose_body"),
        ({"poses": np.zeros((4, 60))}, "are not those of SMPL"),
        ({"poses": np.zeros((0, 72))}, "are not those of SMPL"),
        ({"poses": np.zeros(72)}, "not a table"),
        ({"poses": np.full((4, 72), np.inf)}, "poses of frame 0 is not finite"),
        ({"poses": np.array(["a"])}, "not a table of numbers"),
        ({"poses": np.array([print])}, "not numbers or text"),
        ({"trans": None}, "no array named trans"),
        ({"trans": np.zeros((3, 3))}, "4 × 3 is needed"),
        ({"mocap_framerate": None}, "no array named mocap_framerate"),
        ({"mocap_framerate": np.zeros(3)}, "one number"),
        ({"mocap_framerate": -1.0}, "not a rate"),
    ],
)
def test_faults_are_named(tmp_path, changes, message) -> None:
    with pytest.raises(MotionFormatError, match=r"test\.npz") as caught:
        read(tmp_path, arrays(**changes))
    assert message in str(caught.value)


def header(shape: str, descr: str = "<f8") -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "entry",
    [
        header("(1000000000000, 156)"),
        header("(-1, 156)") + b"\0" * 80,
        header("(1,)", "<U99999999"),
        header("(2, 3)", "|V8") + b"\0" * 48,
        b"",
        b"\x93NUMPY\x09\x00",
    ],
)
def test_headers_that_lie_take_no_memory(tmp_path, entry) -> None:
    path = tmp_path / "test.npz"
    np.savez(path, **{k: v for k, v in arrays().items() if k != "poses"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("poses.npy", entry)
    with pytest.raises(MotionFormatError, match="the array poses cannot be read"):
        read_smpl(path)


def test_a_zip_bomb_is_refused(tmp_path) -> None:
    path = tmp_path / "test.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("poses.npy", "w") as entry:
        for _ in range(300):
            entry.write(bytes(1 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(MotionFormatError, match="larger than 256 MiB"):
        read_smpl(path)


def test_an_archive_of_very_many_entries_is_refused(tmp_path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for number in range(1100):
            archive.writestr(str(number), b"")
    (tmp_path / "test.npz").write_bytes(data.getvalue())
    with pytest.raises(MotionFormatError, match="more than 1000 entries"):
        read_smpl(tmp_path / "test.npz")
