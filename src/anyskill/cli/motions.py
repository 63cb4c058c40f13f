"""``anyskill motions …``: import, check and look at motions."""

import json as json_format
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import tyro
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from anyskill.motion.check import TOLERANCE, Check
from anyskill.motion.check import check as measure
from anyskill.motion.clip import Clip
from anyskill.motion.errors import MotionError
from anyskill.motion.formats import SUFFIXES
from anyskill.motion.formats.clip_npz import save_clip
from anyskill.motion.importing import load_clip_any
from anyskill.motion.joint_map import JointMap, load_joint_map
from anyskill.motion.physics_check import physics_check
from anyskill.render.video import contact_sheet
from anyskill.sim.engine import make_engine


def import_(files: tyro.conf.Positional[tuple[Path, ...]], out: Path, fps: float = 30, map: Path | None = None) -> None:
    """Turn motion files of any format into clean clips of the humanoid (.npz).

    Args:
        files: Motion files, or folders of them.
        out: Folder for the clips.
        fps: Frames a second of the clips.
        map: YAML file of `body: joint` lines, for joints that are not found by their names.
    """
    joint_map = None if map is None else load_joint_map(map)
    for path, clip in _load(_expand(files), fps, clean=True, joint_map=joint_map):
        target = out / f"{clip.name}.npz"
        save_clip(clip, target)
        print(f"{path} → {target}  {_summary(measure(clip))}")


def check(
    files: tyro.conf.Positional[tuple[Path, ...]],
    json: bool = False,
    out: Path | None = None,
    clean: bool = True,
    physics: bool = False,
) -> None:
    """Measure what is wrong with motions, whatever their format.

    Args:
        files: Motion files, clips, or folders of them.
        json: Print one JSON object a line instead of a table (metres, seconds, degrees).
        out: Folder for a contact sheet (PNG) of every motion.
        clean: Clean motions up first, as `import` does; --no-clean shows what the files hold.
        physics: Also track every motion with PD control in the simulator, and tell for how many seconds that goes well.
    """
    clips: list[Clip] = []
    checks: list[Check] = []
    for _, clip in _load(_expand(files), 30, clean=clean):
        clips.append(clip)
        checks.append(measure(clip))
        if out is not None:
            contact_sheet(clip.states(), out / f"{clip.name}.png", fps=clip.fps, character=clip.character)
    followed = physics_check(clips, make_engine(len(clips))).tolist() if physics and clips else [None] * len(clips)
    if json:
        for result, seconds in zip(checks, followed, strict=True):
            extra = {} if seconds is None else {"followed": seconds}
            print(json_format.dumps(result.as_dict() | extra))
    elif checks:
        Console().print(_table(checks, followed))


def _expand(files: Sequence[Path]) -> list[Path]:
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


def _load(
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
                clip = load_clip_any(path, fps, clean=clean, joint_map=joint_map)
            except MotionError as error:
                failures.append(error)
                if len(paths) > 1:
                    print(f"left out: {error}", file=sys.stderr)
                continue
            yield path, replace(clip, name=names[path])
    if len(failures) == len(paths):
        raise failures[0] if len(paths) == 1 else MotionError("none of the files is a motion that can be read.")


_COLUMNS = {  # heading → value, and whether it is fine
    "time\ns": lambda c: (f"{c.duration:.1f}", True),
    "fps": lambda c: (f"{c.fps:g}", True),
    "air\n%": lambda c: (f"{100 * c.flight:.0f}", True),
    "float\ncm": lambda c: (f"{100 * c.floating:.1f}", c.floating <= TOLERANCE),
    "sink\ncm": lambda c: (f"{100 * c.penetration:.1f}", c.penetration <= TOLERANCE),
    "slide\nm/s": lambda c: (f"{c.sliding:.2f}", c.sliding <= 0.3),
    "jerk\nm/s³": lambda c: (f"{c.jerk:.0f}", c.jerk <= 1000),
    "limit\n°": lambda c: (f"{c.beyond_limits:.0f}", c.beyond_limits <= 1),
    "self\ncm": lambda c: (f"{100 * c.self_collision:.1f}", c.self_collision <= 0.05),
}


def _table(checks: Sequence[Check], followed: Sequence[float | None]) -> Table:
    tracked = any(seconds is not None for seconds in followed)
    table = Table("motion", *_COLUMNS, *(["held\ns"] if tracked else []), box=box.SIMPLE_HEAD)
    table.columns[0].overflow = "fold"
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for result, seconds in zip(checks, followed, strict=True):
        cells = [text if fine else f"[red]{text}[/]" for text, fine in (column(result) for column in _COLUMNS.values())]
        table.add_row(result.name, *cells, *([f"{seconds:.1f}"] if seconds is not None else []))
    return table


def _summary(result: Check) -> str:
    return (
        f"{result.duration:.1f} s, floating {100 * result.floating:.1f} cm, below ground "
        f"{100 * result.penetration:.1f} cm, sliding {result.sliding:.2f} m/s"
    )
