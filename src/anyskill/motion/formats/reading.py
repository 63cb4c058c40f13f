"""Reading files that strangers wrote: every fault becomes a ``MotionFormatError`` that names the file and the place."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from anyskill.body.humanoid import HUMANOID, Character
from anyskill.motion.clip import Clip
from anyskill.motion.errors import MotionError, MotionFormatError

MAX_BYTES = 1 << 28  # of a file, and of an array in an archive
MAX_JOINTS = 1000
_LONGEST_MESSAGE = 600
_MAX_ROTATIONS = 20_000_000  # of all joints in all frames: an hour of 46 joints at 120 frames a second
_MAX_ENTRIES = 1000  # of an archive
_MAX_TEXT = 1 << 20  # bytes of an array of texts
_LARGEST_NUMBER = 1e6  # degrees, or units of length: beyond it the file is broken


def fault(path: Path, what: str, line: int | None = None) -> MotionFormatError:
    """The error to raise about ``path``; ``what`` ends the sentence."""
    place = "" if line is None else f", line {line}"
    what = what if len(what) <= _LONGEST_MESSAGE else f"{what[:_LONGEST_MESSAGE]} …"  # names in files can be endless
    return MotionFormatError(f"{path}{place}: {what}")


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """The whole file; it must be an ordinary one, not empty, and not larger than ``max_bytes``."""
    try:
        if path.is_dir():
            raise fault(path, "this is a folder, not a motion file.")
        if path.exists() and not path.is_file():
            raise fault(path, "this is not an ordinary file.")
        size = path.stat().st_size
        if size > max_bytes:
            raise fault(path, f"the file is larger than {max_bytes >> 20} MiB, the most that is read.")
        data = path.read_bytes()
    except FileNotFoundError:
        raise fault(path, "there is no such file.") from None
    except (OSError, ValueError) as error:
        raise fault(path, f"the file cannot be read ({error}).") from error
    if not data.strip():
        raise fault(path, "the file is empty.")
    return data


def read_text(path: Path, max_bytes: int = MAX_BYTES) -> str:
    """The whole file as text; lines end with a newline, whatever system wrote them."""
    text = read_bytes(path, max_bytes).decode("utf-8-sig", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse_numbers(path: Path, words: Sequence[str], line: int) -> np.ndarray:
    """Decimal numbers that all stand on one line; finite and of a sane size."""
    try:
        values = np.fromiter(map(float, words), np.float64, len(words))
    except ValueError:
        word = next(word for word in words if not _is_number(word))
        raise fault(path, f"expected a number, but found {word[:40]!r}.", line) from None
    if not (np.abs(values) <= _LARGEST_NUMBER).all():
        raise fault(path, "a number is not finite, or too large to be true.", line)
    return values


def parse_table(path: Path, text: str, first_line: int, separator: str | None = None) -> np.ndarray:
    """All numbers of a text, in order; ``first_line`` is where the text begins in the file."""
    rows = text.split("\n")
    try:
        values = np.fromiter((float(word) for row in rows for word in row.split(separator)), np.float64)
        sound = bool((np.abs(values) <= _LARGEST_NUMBER).all())
    except ValueError:
        sound = False
    if not sound:
        for line, row in enumerate(rows, first_line):
            parse_numbers(path, row.split(separator), line)
    return values


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def check_size(path: Path, frames: int, joints: int) -> None:
    """Refuse a motion that is small in its file, by joints that do not move, but would fill the memory."""
    if frames * joints > _MAX_ROTATIONS:
        raise fault(path, f"{frames} frames of {joints} joints are more than can be read; cut it into pieces.")


def check_values(path: Path, values: np.ndarray, what: str) -> np.ndarray:
    """A float64 copy of ``values`` if all are finite and of a sane size; the first axis counts frames."""
    with np.errstate(invalid="ignore"):  # a signalling NaN would warn; it is refused below
        values = np.array(values, np.float64)
    bad = ~(np.abs(values) <= _LARGEST_NUMBER)
    if bad.any():
        raise fault(path, f"{what} of frame {np.argwhere(bad)[0][0]} is not finite, or too large to be true.")
    return values


def unit_quaternions(path: Path, values: np.ndarray, what: str) -> Float[Tensor, "*batch 4"]:
    """Quaternions scaled to unit length; those that are shorter than half of it, or longer than twice, are refused."""
    lengths = np.linalg.norm(values, axis=-1, keepdims=True)
    bad = (lengths < 0.5) | (lengths > 2.0)  # some published files are edited by hand: 0.58 occurs
    if bad.any():
        raise fault(path, f"{what} of frame {np.argwhere(bad)[0][0]} is not a unit quaternion.")
    return torch.from_numpy(np.ascontiguousarray(values / lengths))


def tidy_rate(path: Path, rate: float) -> float:
    """Frames a second, freed of the rounding that a file's frame time suffered: 120.0005 → 120."""
    if not 0.1 <= rate < 1000:
        raise fault(path, f"{rate:g} frames a second is not a rate of motion capture; it must be from 0.1 to 1000.")
    return float(round(rate)) if rate >= 1 and abs(rate - round(rate)) < 5e-4 * rate else rate


def make_clip(
    path: Path,
    fps: float,
    root_positions: Float[Tensor, "frame 3"],
    rotations: Float[Tensor, "frame body 4"],
    loop: bool = False,
    character: Character = HUMANOID,
) -> Clip:
    """A clip named after its file."""
    try:
        return Clip(path.stem, fps, root_positions, rotations, (), loop, character)
    except MotionError as error:
        raise fault(path, str(error)) from error


class Archive:
    """The arrays of a ``.npz`` file, each read when asked for, without ever unpickling."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            data = read_bytes(path)
            if data.count(b"PK\x01\x02") > _MAX_ENTRIES:
                raise fault(path, f"the archive has more than {_MAX_ENTRIES} entries.")
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except MotionFormatError:
            raise
        except Exception as error:
            raise fault(path, "this is not a .npz archive, or a damaged one.") from error
        self.names = {name.removesuffix(".npy") for name in self._zip.namelist()}

    def __getitem__(self, name: str) -> np.ndarray:
        """One array; its header must agree with the bytes that are there before memory is taken."""
        if name not in self.names:
            raise fault(self.path, f"there is no array named {name}.")
        try:
            entry = self._zip.getinfo(f"{name}.npy")
            if entry.file_size > MAX_BYTES:
                raise ValueError(f"it is larger than {MAX_BYTES >> 20} MiB")
            return _array(self._zip.read(entry))
        except Exception as error:  # zipfile, zlib and numpy raise a dozen types
            reason = str(error).split("\n")[0][:120]
            raise fault(self.path, f"the array {name} cannot be read ({reason}).") from error

    def first_of(self, *names: str) -> np.ndarray:
        """The array under the first of these names that is there."""
        return self[next((name for name in names if name in self.names), names[0])]


def _array(data: bytes) -> np.ndarray:
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, fortran, dtype = read_header[version](file)
    if dtype.hasobject or dtype.kind not in "fiubU":
        raise ValueError(f"its type is {dtype}, not numbers or text")
    if len(shape) > 8 or any(size < 0 for size in shape):
        raise ValueError(f"its shape is {shape}")
    body = data[file.tell() :]
    count = 1
    for size in shape:
        count *= size
    if count * dtype.itemsize != len(body):
        raise ValueError(f"its header promises {count} values, but {len(body)} bytes follow")
    array = np.frombuffer(body, dtype).reshape(shape, order="F" if fortran else "C")
    if dtype.kind == "U":
        if array.nbytes > _MAX_TEXT:
            raise ValueError("its texts are too long")
        "".join(array.reshape(-1).tolist()).encode()  # fails if the bytes are no text
    return array
