"""``anyskill motions view``: a film and a contact sheet of a motion file."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import tyro


def view(
    file: Annotated[Path, tyro.conf.Positional],
    out: Path = Path(),
    size: int = 480,
    yaw: float = 0.0,
    fps: float = 30.0,
    samples: int = 2,
    only: str = "",
) -> None:
    """Draw a motion file of any supported format: an mp4 film and a PNG contact sheet of every motion in it.

    Args:
        file: The motion.
        out: Folder for the pictures.
        size: Width and height of the film in pixels.
        yaw: Where the camera stands around the body, in degrees: 0 is on the +x side, 90 on the +y side.
        fps: Frames a second of the film.
        samples: Rays a pixel along each axis: 1 is four times as fast as 2 and has jagged edges.
        only: Of a file with several motions, those whose name contains this.
    """
    from anyskill.motion.errors import MotionError
    from anyskill.motion.importing import load_clips
    from anyskill.render.camera import Camera
    from anyskill.render.video import draw_motion

    clips = [clip for clip in load_clips(file, fps) if only in clip.name]
    if not clips:
        raise MotionError(f"{file} has no motion whose name contains {only}.")
    if len(clips) == 1:
        clips = [replace(clips[0], name=file.stem)]
    camera = Camera(yaw=math.radians(yaw))
    for clip in clips:
        paths = draw_motion(
            clip.states(),
            clip.fps,
            out,
            clip.name,
            size=size,
            samples=samples,
            camera=camera,
            character=clip.character,
            progress=True,
        )
        for path in paths:
            print(path)
