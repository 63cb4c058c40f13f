"""``anyskill motions import`` and ``check``."""

import json as json_format
from pathlib import Path
from typing import Literal

import tyro
from rich.console import Console


def import_(
    files: tyro.conf.Positional[tuple[Path, ...]],
    out: Path,
    fps: float = 30,
    map: Path | None = None,
    format: Literal["npz", "bvh", "npy"] = "npz",
) -> None:
    """Turn motion files of any format into clean clips of the humanoid.

    Args:
        files: Motion files, or folders of them.
        out: Folder for the clips.
        fps: Frames a second of the clips.
        map: YAML file of `body: joint` lines, for joints that are not found by their names.
        format: Our own clips (npz), BVH for Blender and its like, or poselib's SkeletonMotion (npy).
    """
    from anyskill.cli.check_table import summary
    from anyskill.cli.motion_files import expand, load
    from anyskill.motion.check import check as measure
    from anyskill.motion.formats.bvh import write_bvh
    from anyskill.motion.formats.clip_npz import save_clip
    from anyskill.motion.formats.poselib import write_poselib
    from anyskill.motion.joint_map import load_joint_map

    write = {"npz": save_clip, "bvh": write_bvh, "npy": write_poselib}[format]
    joint_map = None if map is None else load_joint_map(map)
    for path, clip in load(expand(files), fps, clean=True, joint_map=joint_map):
        target = out / f"{clip.name}.{format}"
        write(clip, target)
        print(f"{path} → {target}  {summary(measure(clip))}")


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
    from anyskill.cli.check_table import check_table
    from anyskill.cli.motion_files import expand, load
    from anyskill.motion.check import check as measure
    from anyskill.motion.physics_check import physics_check
    from anyskill.render.video import contact_sheet
    from anyskill.sim.engine import make_engine

    clips, checks = [], []
    for _, clip in load(expand(files), 30, clean=clean):
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
        Console().print(check_table(checks, followed))
