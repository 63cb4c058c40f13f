import time
from pathlib import Path

import pytest
import torch

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID, SWORD_AND_SHIELD
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.errors import MotionFormatError
from anyskill.motion.formats.bvh import read_bvh, write_bvh
from tests.motion.formats import samples


def read(tmp_path: Path, text: str, **arguments):
    path = tmp_path / "test.bvh"
    path.write_text(text)
    return read_bvh(path, **arguments)


def positions(motion, frame: int) -> dict[str, list[float]]:
    return dict(zip(motion.names, motion.world()[0][frame].round(decimals=6).tolist(), strict=True))


def test_figure_comes_out_in_metres_z_up_facing_x(tmp_path) -> None:
    motion = read(tmp_path, samples.BVH)
    assert motion.names == ("Hips", "Spine", "Head", "Head_end", "LeftLeg", "LeftFoot", "LeftFoot_end")
    assert motion.parents == (-1, 0, 1, 2, 0, 4, 5)
    assert motion.fps == 30.0
    at = positions(motion, 0)
    assert at["Head"] == [0, 0, 1.45]
    assert at["LeftLeg"] == [0, 0.1, 0.9]  # left is +y
    assert at["LeftFoot_end"] == [0.12, 0.1, 0.02]  # toes point along +x


def test_rotations_act_in_the_order_of_the_channels(tmp_path) -> None:
    at = positions(read(tmp_path, samples.BVH), 1)
    # The root turns a quarter to the left about the vertical; then the leg, in its own frame, swings forward.
    assert at["Hips"] == [0.05, 0, 0.9]
    assert at["LeftLeg"] == [-0.05 + 0.0, 0.0, 0.9]
    assert at["LeftFoot"] == [-0.05, 0.85, 0.9]


@pytest.mark.parametrize("order", ["ZXY", "XYZ", "YZX", "ZYX"])
def test_any_order_of_channels(tmp_path, order) -> None:
    names = " ".join(f"{axis}rotation" for axis in order)
    motion = read(tmp_path, samples.BVH.replace("Zrotation Xrotation Yrotation", names))
    angles = torch.deg2rad(torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    expected = rotation.identity(dtype=torch.float64)
    for angle, axis in zip(angles, order, strict=True):
        unit = torch.eye(3, dtype=torch.float64)["XYZ".index(axis)]
        expected = rotation.multiply(expected, rotation.from_axis_angle(unit, angle))
    torch.testing.assert_close(motion.rotations[2, 1], expected)


def test_position_channels_of_a_joint_replace_its_offset(tmp_path) -> None:
    text = samples.BVH.replace(
        "OFFSET 0 25 0\n    CHANNELS 3", "OFFSET 0 1 0\n    CHANNELS 6 Xposition Yposition Zposition"
    )
    rows = [line.split() for line in text.split("\n")[-4:-1]]
    rows = [[*row[:6], "0", "25", "0", *row[6:]] for row in rows]
    text = "\n".join([*text.split("\n")[:-4], *map(" ".join, rows)])
    torch.testing.assert_close(read(tmp_path, text).world()[0], read(tmp_path, samples.BVH).world()[0])


@pytest.mark.parametrize(
    "changed",
    [
        samples.BVH.replace("\n", "\r\n"),
        samples.BVH.replace("  ", "\t").replace("OFFSET ", "OFFSET\t"),
        "\ufeff" + samples.BVH,
        samples.BVH.replace("Frames: 3", "FRAMES:\t3").replace("\n{", " {").replace("End Site", "End site"),
    ],
)
def test_ways_of_writing_the_same(tmp_path, changed) -> None:
    torch.testing.assert_close(read(tmp_path, changed).world()[0], read(tmp_path, samples.BVH).world()[0])


def test_names_may_hold_prefixes_and_spaces(tmp_path) -> None:
    text = samples.BVH.replace("ROOT Hips", "ROOT mixamorig:Hips").replace("LeftLeg", "Bip01 L Leg")
    assert read(tmp_path, text).names[0] == "mixamorig:Hips"
    assert "Bip01 L Leg" in read(tmp_path, text).names


@pytest.mark.parametrize(
    ("seconds", "fps"), [(".0083333", 120), ("0.00833333", 120), ("0.033333", 30), ("0.0333667", 29.97), ("0.04", 25)]
)
def test_rate_is_freed_of_rounding(tmp_path, seconds, fps) -> None:
    assert read(tmp_path, samples.BVH.replace("0.0333333", seconds)).fps == pytest.approx(fps, abs=1e-4)
    assert fps == 29.97 or read(tmp_path, samples.BVH.replace("0.0333333", seconds)).fps == fps


def scaled(factor: float) -> str:
    lines = []
    for line in samples.BVH.split("\n"):
        words = line.split()
        if words[:1] == ["OFFSET"]:
            line = " ".join(["OFFSET", *(str(float(word) * factor) for word in words[1:])])
        elif len(words) == 18:
            line = " ".join([*(str(float(word) * factor) for word in words[:3]), *words[3:]])
        lines.append(line)
    return "\n".join(lines)


@pytest.mark.parametrize("per_centimetre", [1.0, 0.01, 10.0, 1 / 2.54, 0.45 / 2.54])
def test_unit_is_told_from_the_size(tmp_path, per_centimetre) -> None:
    expected = read(tmp_path, samples.BVH).world()[0]
    torch.testing.assert_close(read(tmp_path, scaled(per_centimetre)).world()[0], expected)


def test_unit_that_fits_nothing_makes_an_adult(tmp_path) -> None:
    motion = read(tmp_path, scaled(0.07))
    lengths = motion.offsets.norm(dim=-1)
    assert lengths[[1, 2, 4, 5]].sum().item() == pytest.approx(1.45)


def test_unit_and_up_can_be_given(tmp_path) -> None:
    motion = read(tmp_path, samples.BVH, scale=1.0, up="z")
    assert positions(motion, 0)["Head"] == [0, 145, 0]
    nameless = samples.BVH.replace("Head", "A").replace("Foot", "B")
    assert positions(read(tmp_path, nameless, scale=0.01, up="y"), 0)["A"] == [0, 0, 1.45]
    # Without names, the extent of the rest pose tells: centimetres, y up.
    assert positions(read(tmp_path, nameless), 0)["A"] == [0, 0, 1.45]


def test_z_up_files_stay_as_they_are(tmp_path) -> None:
    text = samples.BVH.replace("OFFSET 0 25 0", "OFFSET 0 0 25").replace("OFFSET 0 30 0", "OFFSET 0 0 30")
    text = text.replace("OFFSET 0 -85 0", "OFFSET 0 0 -85").replace("0 90 0 0", "0 0 90 0")
    assert positions(read(tmp_path, text), 0)["Head"] == [0, 0, 1.45]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("HIERARCHY", "HELLO", "HIERARCHY"),
        ("MOTION", "", "MOTION section"),
        ("OFFSET 0 25 0", "OFFSET 0 25", "line 8: an OFFSET has three"),
        ("OFFSET 0 25 0", "OFFSET 0 x 0", "line 8: expected a number, but found 'x'"),
        ("OFFSET 0 25 0", "", "joint Spine has no OFFSET"),
        ("CHANNELS 3 Zrotation", "CHANNELS 4 Zrotation", "line 9: CHANNELS announces '4'"),
        ("3 Zrotation Xrotation", "3 Zrotation Wrotation", "'wrotation' is not a channel"),
        ("3 Zrotation Xrotation", "3 Zrotation Zrotation", "twice"),
        ("JOINT Spine\n  {", "JOINT Spine", "line 7: expected {"),
        ("JOINT Spine", "ROOT Spine", "line 6: ROOT stands where it cannot"),
        ("}\nMOTION", "MOTION", "not closed"),
        ("}\nMOTION", "}\n}\nMOTION", "without its {"),
        ("Frames: 3", "Frames: 4", "4 frames of 18 channels are 72 numbers, but the file holds 54"),
        ("Frames: 3", "Frames: 999999999", "cut short"),
        ("Frames: 3", "Frames: 0", "no frames"),
        ("0.0333333", "0", "frame time"),
        ("0.0333333", "1e-9", "not a rate"),
        ("0 90 5", "0 nan 5", "line 39: a number is not finite"),
        ("0 90 5", "0 1e30 5", "line 39: a number is not finite"),
        ("0 90 5", "0 ninety 5", "line 39: expected a number, but found 'ninety'"),
        (" 10 11 12\n", "", "cut short"),
    ],
)
def test_faults_are_named(tmp_path, old, new, message) -> None:
    with pytest.raises(MotionFormatError, match=r"test\.bvh") as caught:
        read(tmp_path, samples.BVH.replace(old, new, 1))
    assert message in str(caught.value)


def test_endless_nesting_is_refused(tmp_path) -> None:
    with pytest.raises(MotionFormatError, match="more than 1000 joints"):
        read(tmp_path, "HIERARCHY\nROOT a\n{\n" + "JOINT b\n{\n" * 50_000 + "MOTION\n")


def test_many_joints_that_do_not_move_are_refused(tmp_path) -> None:
    still = "JOINT x\n{\nOFFSET 0 0 0\n}\n" * 900
    text = f"HIERARCHY\nROOT a\n{{\nOFFSET 0 0 0\nCHANNELS 1 Xrotation\n{still}}}\n"
    with pytest.raises(MotionFormatError, match="30000 frames of 901 joints"):
        read(tmp_path, f"{text}MOTION\nFrames: 30000\nFrame Time: 0.01\n" + "0\n" * 30_000)


@pytest.mark.parametrize("character", [HUMANOID, SWORD_AND_SHIELD])
def test_written_file_reads_back_the_same(tmp_path, character) -> None:
    clip = samples.clip(20, character)
    write_bvh(clip, tmp_path / "out.bvh")
    motion = read_bvh(tmp_path / "out.bvh")
    skeleton = skeleton_of(character)
    order = [motion.names.index(name) for name in skeleton.names]
    expected = skeleton.forward(clip.root_positions, clip.rotations)
    found = motion.world()
    assert (found[0][:, order] - expected[0]).abs().max() < 1e-6
    # Its frames lie in the rest pose as ours do, but for the turn of the whole figure.
    turn = rotation.multiply(found[1][:, order], rotation.conjugate(motion.rest_world()[1][order]))
    assert (turn * expected[1]).sum(-1).abs().min() > 1 - 1e-9
    assert motion.fps == clip.fps


def test_written_file_is_y_up_in_centimetres_facing_z(tmp_path) -> None:
    write_bvh(samples.clip(), tmp_path / "out.bvh")
    lines = [line.split() for line in (tmp_path / "out.bvh").read_text().split("\n")]
    offsets = {lines[i][1]: lines[i + 2] for i in range(len(lines)) if lines[i] and lines[i][0] in ("ROOT", "JOINT")}
    assert offsets["torso"] == ["OFFSET", "0.000000", "23.615100", "0.000000"]
    assert offsets["left_thigh"] == ["OFFSET", "8.488700", "0.000000", "0.000000"]
    end = lines[lines.index(["JOINT", "left_foot"]) + 6]
    assert float(end[3]) > 10  # toes
    assert sum(line[:2] == ["End", "Site"] for line in lines) == 5


def test_three_thousand_frames_take_less_than_a_second(tmp_path) -> None:
    write_bvh(samples.clip(3000), tmp_path / "long.bvh")
    best = 9.0
    for _ in range(3):
        start = time.thread_time()
        read_bvh(tmp_path / "long.bvh")
        best = min(best, time.thread_time() - start)
    assert best < 1.0
