import math

import pytest
import torch

from anyskill.motion.errors import MotionFormatError
from anyskill.motion.formats.asf_amc import read_amc
from tests.motion.formats import samples

UNIT = 0.0254 / 0.45


def read(tmp_path, amc=samples.AMC, asf=samples.ASF, **arguments):
    (tmp_path / "07.asf").write_text(asf)
    (tmp_path / "07_01.amc").write_text(amc)
    return read_amc(tmp_path / "07_01.amc", **arguments)


def units(motion, frame: int) -> dict[str, list[float]]:
    """World positions in the file's units."""
    return dict(zip(motion.names, (motion.world()[0][frame] / UNIT).round(decimals=6).tolist(), strict=True))


def test_bones_begin_where_their_parents_end(tmp_path) -> None:
    motion = read(tmp_path)
    assert motion.names == ("root", "back", "head", "femur", "foot", "head_end", "foot_end")
    assert motion.parents == (-1, 0, 1, 0, 3, 2, 4)
    assert motion.fps == 120
    at = units(motion, 0)
    assert at["root"] == at["back"] == at["femur"] == [0, 0, 16]
    assert at["head"] == [0, 0, 25] and at["head_end"] == [0, 0, 28]
    assert at["foot"] == [0, 0, 9] and at["foot_end"] == [2, 0, 9]


def test_degrees_of_freedom_turn_about_the_bone_s_own_axes(tmp_path) -> None:
    motion = read(tmp_path)
    # The femur's x axis is turned by 90° about z: it lies along y, and turning about it leaves the bone where it was.
    # The root has turned a quarter to the left, so that what pointed to the left (file x) points backwards.
    at = units(motion, 1)
    assert at["root"] == [1, 0, 16]
    assert at["foot"] == [1, 0, 9]
    toes = torch.tensor(at["foot_end"]) - torch.tensor(at["foot"])
    # foot: Rz(−5°)·Rx(5°) on (0, 0, 2), then Ry(90°) of the femur, then Ry(90°) of the root, then to z up.
    a = math.radians(5)
    x, y, z = 2 * -math.sin(a) * math.sin(a), -2 * math.sin(a) * math.cos(a), 2 * math.cos(a)
    assert toes.tolist() == pytest.approx([-z, -x, y], abs=1e-5)


def test_radians_and_rate(tmp_path) -> None:
    radians = samples.AMC.replace(":DEGREES", ":RADIANS").replace("femur 90", f"femur {math.pi / 2}")
    radians = radians.replace("0 90 0\nback 10 20 30", f"0 {math.pi / 2} 0\nback 0 0 0").replace(
        "foot 5 -5", "foot 0 0"
    )
    degrees = samples.AMC.replace("back 10 20 30", "back 0 0 0").replace("foot 5 -5", "foot 0 0")
    a, b = read(tmp_path, radians, fps=60), read(tmp_path, degrees)
    torch.testing.assert_close(a.world()[0], b.world()[0])
    assert (a.fps, b.fps) == (60, 120)


def test_length_of_the_unit(tmp_path) -> None:
    a, b = read(tmp_path, asf=samples.ASF.replace("length 0.45", "length 0.9")), read(tmp_path)
    torch.testing.assert_close(2 * a.world()[0], b.world()[0])


def test_skeleton_with_the_longest_fitting_name_is_taken(tmp_path) -> None:
    (tmp_path / "0.asf").write_text("not this one")
    (tmp_path / "07_01.asf").write_text(samples.ASF.replace("length 9", "length 10"))
    assert units(read(tmp_path), 0)["head"] == [0, 0, 26]
    assert units(read(tmp_path, skeleton=tmp_path / "07.asf"), 0)["head"] == [0, 0, 25]


def test_missing_skeleton_is_named(tmp_path) -> None:
    (tmp_path / "08_02.amc").write_text(samples.AMC)
    (tmp_path / "0.asf").write_text(samples.ASF)
    with pytest.raises(MotionFormatError, match=r"08\.asf or 08_02\.asf"):
        read_amc(tmp_path / "08_02.amc")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("femur 90", "femur", "line 12: femur has 1 degrees of freedom, but 0 values"),
        ("femur 90", "tail 90", "'tail' is not a moving bone of 07.asf"),
        ("femur 90", "femur x", "line 12: expected a number"),
        ("femur 90", "femur nan", "bone femur of frame 1 is not finite"),
        ("femur 90\n", "", "bone femur is missing in the frame that ends here"),
        ("femur 90\n", "femur 90\nfemur 90\n", "bone femur stands twice"),
        (samples.AMC, ":DEGREES\n", "no frames"),
    ],
)
def test_faults_of_motions_are_named(tmp_path, old, new, message) -> None:
    with pytest.raises(MotionFormatError, match=r"07_01\.amc") as caught:
        read(tmp_path, samples.AMC.replace(old, new))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("length 0.45", "length 0", "unit of length"),
        ("angle deg", "angle gon", "line 6: the unit of angles"),
        ("dof rx ry rz", "dof rx ry rw", "'rw' is not a degree of freedom"),
        ("back head", "head back", "cannot be the parent"),
        ("root back femur", "root femur", "do not hang from the root"),
        ("name head", "name back", "the name 'back' of another"),
        ("XYZ\n    dof rx rz", "XXZ\n    dof rx rz", "an axis has an order"),
        ("direction 0 0 1", "direction 0 1", "expected 3 number(s), but found 2"),
        (samples.ASF, "hello\n", "is this an ASF skeleton"),
    ],
)
def test_faults_of_skeletons_are_named(tmp_path, old, new, message) -> None:
    with pytest.raises(MotionFormatError, match=r"07\.asf") as caught:
        read(tmp_path, asf=samples.ASF.replace(old, new))
    assert message in str(caught.value)
