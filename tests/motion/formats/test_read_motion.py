import numpy as np
import pytest

from anyskill.motion.clip import Clip
from anyskill.motion.errors import MotionFormatError
from anyskill.motion.formats import SUFFIXES, read_motion
from anyskill.motion.source import SourceMotion
from tests.motion.formats import samples


@pytest.mark.parametrize("suffix", samples.FORMATS)
def test_every_format_is_recognised(tmp_path, suffix) -> None:
    motion = read_motion(samples.write(suffix, tmp_path))
    assert isinstance(motion, Clip if suffix in (".npy", ".json", ".npz") else SourceMotion)
    assert motion.num_frames >= 2


def test_suffixes_name_every_format() -> None:
    assert {suffix[suffix.index(".") :] for suffix in samples.FORMATS} == set(SUFFIXES)


def test_text_is_told_by_its_content(tmp_path) -> None:
    json = samples.write(".json", tmp_path)
    assert read_motion(json.rename(tmp_path / "walk.txt")).name == "walk"
    assert isinstance(read_motion(samples.write(".bvh", tmp_path).rename(tmp_path / "WALK.BVH")), SourceMotion)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.fbx", "File > Export > BVH"),
        ("a.asf", ".amc motions"),
        ("a.mp4", "motion files end in .amc, .bvh"),
        ("a", "motion files end in"),
    ],
)
def test_other_suffixes(tmp_path, name, message) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(MotionFormatError) as caught:
        read_motion(tmp_path / name)
    assert message in str(caught.value) and name in str(caught.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_that_cannot_be(tmp_path, suffix) -> None:
    (tmp_path / f"folder{suffix}").mkdir()
    (tmp_path / f"empty{suffix}").touch()
    (tmp_path / f"blank{suffix}").write_text(" \n")
    for name, message in (("missing", "no such file"), ("folder", "a folder"), ("empty", "empty"), ("blank", "empty")):
        with pytest.raises(MotionFormatError, match=message):
            read_motion(tmp_path / f"{name}{suffix}")


def test_npz_of_something_else(tmp_path) -> None:
    np.savez(tmp_path / "a.npz", weights=np.zeros(3))
    with pytest.raises(MotionFormatError, match="neither a clip of anyskill's own nor SMPL"):
        read_motion(tmp_path / "a.npz")
