"""Clips made from motion files, kept on disk: reading, retargeting and cleaning a file takes seconds."""

import hashlib
import json
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError, safe_open

import anyskill
from anyskill.body.humanoid import CHARACTERS
from anyskill.files import cache_folder, write_atomically
from anyskill.motion.clip import Clip

_CODE = ("rotation.py", "body/*.py", "motion/**/*.py")  # what the outcome depends on


def load_clip_cached(path: Path) -> Clip:
    """``load_clip_any``, at most once for the same bytes and the same code.

    Raises:
        MotionError: The file cannot be made into a clip.
    """
    from anyskill.motion.importing import load_clip_any

    kept = cache_folder() / "clips" / f"{path.stem}-{_key(path)}.safetensors"
    with suppress(OSError, SafetensorError, KeyError, TypeError, ValueError):  # not there, or broken: make it again
        return _read(kept)
    clip = load_clip_any(path)
    with suppress(OSError):  # a full disk or a read-only home costs time, nothing else
        _write(kept, clip)
    return clip


def _key(path: Path) -> str:
    digest = hashlib.sha256(_code_version())
    # A motion in ASF/AMC is two files: the skeleton beside it counts as well.
    for file in [path, *sorted(path.parent.glob("*.asf"))] if path.suffix.lower() == ".amc" else [path]:
        digest.update(file.name.encode() + b"\0")
        digest.update(file.read_bytes())
    return digest.hexdigest()[:24]


@lru_cache
def _code_version() -> bytes:
    """Changes with the source code that makes clips."""
    root = Path(anyskill.__file__).parent
    digest = hashlib.sha256()
    for file in sorted(file for pattern in _CODE for file in root.glob(pattern)):
        digest.update(file.read_bytes())
    return digest.digest()


def _read(path: Path) -> Clip:
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["clip"])
        return Clip(
            about["name"],
            about["fps"],
            file.get_tensor("root_positions"),
            file.get_tensor("rotations"),
            tuple(about["labels"]),
            about["loop"],
            CHARACTERS[about["character"]],
        )


def _write(path: Path, clip: Clip) -> None:
    about = {
        "name": clip.name,
        "fps": clip.fps,
        "labels": clip.labels,
        "loop": clip.loop,
        "character": clip.character.name,
    }
    tensors = {"root_positions": clip.root_positions.contiguous(), "rotations": clip.rotations.contiguous()}
    with write_atomically(path) as file:
        file.write(safetensors.torch.save(tensors, {"clip": json.dumps(about)}))
