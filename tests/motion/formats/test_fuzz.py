"""Damaged files: whatever is done to a motion file, it is either read or refused in one sentence that names it.

``ANYSKILL_FUZZ`` sets the number of examples a format (150 if it is not set, and then always the same ones).
"""

import io
import os
import resource
import warnings
import zipfile
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anyskill.motion.clip import Clip
from anyskill.motion.errors import MotionFormatError
from anyskill.motion.formats import read_motion
from tests.motion.formats import samples

EXAMPLES = int(os.environ.get("ANYSKILL_FUZZ", "150"))
SECONDS_EACH = 5
MEBIBYTES_MORE = 300

WORDS = [
    b"nan",
    b"-inf",
    b"1e999",
    b"1e308",
    b"-1",
    b"0",
    b"999999999",
    b"9" * 400,
    b"{",
    b"}",
    b"[",
    b'"',
    b",",
    b"\n",
]
WORDS += [b"\x00", b"\xff\xff\xff\xff", b"\x80\x04", b"JOINT x {", b":root", b"root", b"End Site", b"1_0", "٣".encode()]

edits = st.lists(
    st.tuples(
        st.sampled_from(["flip", "put", "cut", "copy", "word"]),
        st.floats(0, 1),  # where
        st.integers(1, 64),  # how many bytes
        st.one_of(st.sampled_from(WORDS), st.binary(max_size=8)),
    ),
    min_size=1,
    max_size=6,
)


def damaged(data: bytes, changes: list[tuple[str, float, int, bytes]], keep: float) -> bytes:
    """``data`` after some edits, its tail cut off after the fraction ``keep``."""
    for kind, where, length, new in changes:
        at = int(where * len(data))
        match kind:
            case "flip":
                data = data[:at] + bytes(byte ^ length for byte in data[at : at + 1]) + data[at + 1 :]
            case "put":
                data = data[:at] + new + data[at:]
            case "cut":
                data = data[:at] + data[at + length :]
            case "copy":
                data = data[:at] + data[at : at + length] + data[at:]
            case "word":  # a whole word becomes another one
                end = next((i for i in range(at, len(data)) if data[i] in b" ,\n\t"), len(data))
                start = max(data.rfind(separator, 0, at) for separator in (b" ", b",", b"\n", b"\t")) + 1
                data = data[:start] + new + data[end:]
    return data[: max(1, int(keep * len(data)))]


def read_or_refuse(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            motion = read_motion(path)
        except MotionFormatError as error:
            assert path.stem in str(error)
            assert "\n" not in str(error) and len(str(error)) < 800
            return
    if isinstance(motion, Clip):
        values = (motion.root_positions, motion.rotations)
    else:
        values = (motion.offsets, motion.rest, *motion.world())
    assert all(torch.isfinite(value).all() for value in values)


def fuzzed(test):
    return settings(
        max_examples=EXAMPLES,
        deadline=SECONDS_EACH * 1000,
        derandomize="ANYSKILL_FUZZ" not in os.environ,
        database=None,
        suppress_health_check=list(HealthCheck),
    )(test)


@pytest.fixture(autouse=True)
def bounded_memory():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEBIBYTES_MORE * 1024


keeps = st.one_of(st.just(1.0), st.floats(0, 1))


@pytest.mark.parametrize("suffix", samples.FORMATS)
def test_damaged_file(tmp_path_factory, suffix) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    path = samples.write(suffix, folder)
    original = path.read_bytes()

    @fuzzed
    @given(edits, keeps)
    def run(changes, keep) -> None:
        path.write_bytes(damaged(original, changes, keep))
        read_or_refuse(path)

    run()


def test_damaged_skeleton(tmp_path_factory) -> None:
    path = samples.write(".amc", tmp_path_factory.mktemp("fuzz"))

    @fuzzed
    @given(edits, keeps)
    def run(changes, keep) -> None:
        path.with_suffix(".asf").write_bytes(damaged(samples.ASF.encode(), changes, keep))
        read_or_refuse(path)

    run()


@pytest.mark.parametrize("suffix", [".npz", "_amass.npz"])
def test_damaged_array_in_a_sound_archive(tmp_path_factory, suffix) -> None:
    path = samples.write(suffix, tmp_path_factory.mktemp("fuzz"))
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}

    @fuzzed
    @given(st.sampled_from(sorted(entries)), edits, keeps)
    def run(victim, changes, keep) -> None:
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for name, content in entries.items():
                archive.writestr(name, damaged(content, changes, keep) if name == victim else content)
        path.write_bytes(data.getvalue())
        read_or_refuse(path)

    run()
