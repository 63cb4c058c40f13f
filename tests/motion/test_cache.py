"""Clips on disk: made once for the same bytes, made again when anything is different or broken."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from anyskill.motion import cache
from anyskill.motion.bench import synthetic_clip
from anyskill.motion.cache import load_clip_cached
from anyskill.motion.clip import Clip


class Reader:
    """Counts what it is asked for."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def load_clip_any(self, path: Path) -> Clip:
        self.calls.append(path.name)
        clip = synthetic_clip(int(path.read_text()), 1.0)
        return Clip(path.stem, clip.fps, clip.root_positions, clip.rotations, ("a", "bé"), True)


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    reader = Reader()
    monkeypatch.setitem(sys.modules, "anyskill.motion.importing", SimpleNamespace(load_clip_any=reader.load_clip_any))
    monkeypatch.setenv("ANYSKILL_CACHE", str(tmp_path / "cache"))
    return reader


def kept(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "cache" / "clips").iterdir())


def test_a_file_is_read_once(reader: Reader, tmp_path: Path) -> None:
    file = tmp_path / "walk.bvh"
    file.write_text("1")
    made, found = load_clip_cached(file), load_clip_cached(file)
    assert reader.calls == ["walk.bvh"]
    assert torch.equal(made.rotations, found.rotations) and torch.equal(made.root_positions, found.root_positions)
    assert found.rotations.dtype == torch.float64
    assert (found.name, found.fps, found.labels, found.loop) == ("walk", 60.0, ("a", "bé"), True)


def test_other_bytes_another_name_or_other_code_are_read_again(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, copy = tmp_path / "walk.bvh", tmp_path / "copy.bvh"
    file.write_text("1")
    copy.write_text("1")
    load_clip_cached(file)
    assert load_clip_cached(copy).name == "copy"
    file.write_text("2")
    load_clip_cached(file)
    assert reader.calls == ["walk.bvh", "copy.bvh", "walk.bvh"]
    monkeypatch.setattr(cache, "_code_version", lambda: b"another")
    load_clip_cached(file)
    assert len(reader.calls) == 4


def test_a_skeleton_beside_its_motion_counts(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "01.amc").write_text("1")
    (tmp_path / "01.asf").write_text("short legs")
    load_clip_cached(tmp_path / "01.amc")
    (tmp_path / "01.asf").write_text("long legs")
    load_clip_cached(tmp_path / "01.amc")
    assert len(reader.calls) == 2


@pytest.mark.parametrize("content", [b"", b"nonsense that is longer than eight bytes"])
def test_a_broken_copy_is_made_again(reader: Reader, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "walk.bvh"
    file.write_text("1")
    load_clip_cached(file)
    (copy,) = kept(tmp_path)
    copy.write_bytes(content)
    load_clip_cached(file)
    load_clip_cached(file)
    assert len(reader.calls) == 2


def test_a_cache_that_cannot_be_written_is_no_error(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "walk.bvh"
    file.write_text("1")
    monkeypatch.setenv("ANYSKILL_CACHE", str(file))  # a file where the folder should be
    assert load_clip_cached(file).name == "walk"
    assert load_clip_cached(file).name == "walk"
    assert len(reader.calls) == 2
