import json
from pathlib import Path

import pytest
from PIL import Image

from anyskill.cli.motions import check, import_
from anyskill.motion.errors import MotionError
from anyskill.motion.formats.bvh import write_bvh
from anyskill.motion.formats.clip_npz import load_clip
from anyskill.motion.importing import load_clip_any
from tests.motion.made_up import positions, squats


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a/one.bvh", "a/two.bvh", "b/two.bvh"):
        write_bvh(squats(frames=31), tmp_path / "in" / name)
    return tmp_path / "in"


def test_import_writes_one_clip_a_file(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import_((folder / "a",), tmp_path / "out", fps=15)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["one.npz", "two.npz"]
    clip = load_clip(tmp_path / "out" / "one.npz")
    assert (clip.name, clip.fps, clip.num_frames) == ("one", 15, 16)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "one.npz  1.0 s, floating 0." in lines[0]


@pytest.mark.parametrize("suffix", ["bvh", "npy"])
def test_import_writes_the_format_that_is_asked_for(folder: Path, tmp_path: Path, suffix: str) -> None:
    import_((folder / "a" / "one.bvh",), tmp_path / "out", format=suffix)
    again = load_clip_any(tmp_path / "out" / f"one.{suffix}")
    assert (positions(again) - positions(load_clip_any(folder / "a" / "one.bvh"))).abs().max() < 0.01


def test_motions_of_one_name_are_told_apart(folder: Path, tmp_path: Path) -> None:
    import_((folder,), tmp_path / "out")
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == ["a_two", "b_two", "one"]
    (folder / "c" / "b").mkdir(parents=True)
    (folder / "b" / "two.bvh").rename(folder / "c" / "b" / "two.bvh")
    write_bvh(squats(frames=31), folder / "b" / "two.bvh")
    with pytest.raises(MotionError, match="both called b_two"):
        import_((folder,), tmp_path / "again")


def test_a_map_is_used(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text("head: tail\n")
    with pytest.raises(MotionError, match="gives tail for head"):
        import_((folder / "a" / "one.bvh",), tmp_path / "out", map=tmp_path / "map.yaml")


def test_what_cannot_be_read_is_left_out(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = folder / "a" / "broken.bvh"
    broken.write_text("HIERARCHY\n")
    import_((folder / "a",), tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 2
    assert f"left out: {broken}" in capsys.readouterr().err
    with pytest.raises(MotionError, match=r"broken\.bvh"):
        import_((broken,), tmp_path / "out")


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match="no file was given"):
        check(())
    with pytest.raises(MotionError, match="holds no motion file"):
        check((tmp_path,))


def test_check_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check((folder / "a",), json=True, physics=True)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["name"] for row in rows] == ["one", "two"]
    assert rows[0]["duration"] == pytest.approx(1.0)
    assert rows[0]["floating"] < 0.005
    assert 0.3 < rows[0]["followed"] <= 1.0


def test_check_as_a_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check((folder / "a",))
    text = capsys.readouterr().out
    assert all(word in text for word in ("one", "two", "float", "sink"))
    assert "held" not in text


def test_check_draws_contact_sheets(folder: Path, tmp_path: Path) -> None:
    check((folder / "a" / "one.bvh",), out=tmp_path / "sheets")
    sheet = Image.open(tmp_path / "sheets" / "one.png")
    assert sheet.size == (8 * 224, 2 * 224)
    assert len(sheet.convert("L").getcolors()) > 50
