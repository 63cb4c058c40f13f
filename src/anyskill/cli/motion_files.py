"""Motion files named on the command line: which they are, what they are called, and their clips."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from anyskill.motion.clip import Clip
from anyskill.motion.errors import MotionError
from anyskill.motion.formats import SUFFIXES
from anyskill.motion.importing import load_clips
from anyskill.motion.joint_map import JointMap


def expand(files: Sequence[Path]) -> list[Path]:
    """Files as they are; folders as the files below them whose suffix is one of a motion's."""
    paths: list[Path] = []
    for file in files:
        inside = (
            sorted(path for path in file.rglob("*") if path.suffix.lower() in SUFFIXES) if file.is_dir() else [file]
        )
        if not inside:
            raise MotionError(f"{file} holds no motion file; they end in {', '.join(SUFFIXES)}.")
        paths += inside
    if not paths:
        raise MotionError("no file was given.")
    return list(dict.fromkeys(paths))


def _names(paths: Sequence[Path]) -> dict[Path, str]:
    """What each motion is called: its stem; where two would be called the same, with the suffix, or the folder too."""
    names: dict[Path, str] = {path: path.stem for path in paths}
    for longer in (lambda path: f"{path.stem}_{path.suffix[1:]}", lambda path: f"{path.parent.name}_{path.stem}"):
        count = Counter(names.values())
        names = {path: name if count[name] == 1 else longer(path) for path, name in names.items()}
    double, count_of_it = Counter(names.values()).most_common(1)[0]
    if count_of_it > 1:
        raise MotionError(f"two motions are both called {double}; take them one folder at a time.")
    return names


def load(
    paths: Sequence[Path], fps: float, *, clean: bool, joint_map: JointMap | None = None
) -> Iterator[tuple[Path, Clip]]:
    """The clips of all files that can be read, with a progress bar; the others are told on stderr.

    Raises:
        MotionError: At the end, if none could be read, or the only one.
    """
    names = _names(paths)
    failures: list[MotionError] = []
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for path in progress.track(paths, description="reading"):
            try:
                clips = load_clips(path, fps, clean=clean, joint_map=joint_map)
            except MotionError as error:
                failures.append(error)
                if len(paths) > 1:
                    print(f"left out: {error}", file=sys.stderr)
                continue
            if len(clips) == 1:
                clips = [replace(clips[0], name=names[path])]
            for clip in clips:
                yield path, clip
    if len(failures) == len(paths):
        raise failures[0] if len(paths) == 1 else MotionError("none of the files is a motion that can be read.")
