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
) -> None:
    """Draw a motion file of any supported format: an mp4 film and a PNG contact sheet.

    Args:
        file: The motion.
        out: Folder for the two files.
        size: Width and height of the film in pixels.
        yaw: Where the camera stands around the body, in degrees: 0 is on the +x side, 90 on the +y side.
        fps: Frames a second of the film.
        samples: Rays a pixel along each axis: 1 is four times as fast as 2 and has jagged edges.
    """
    from anyskill.motion.importing import load_clip_any
    from anyskill.render.camera import Camera
    from anyskill.render.video import draw_clip

    clip = replace(load_clip_any(file, fps), name=file.stem)
    camera = Camera(yaw=math.radians(yaw))
    for path in draw_clip(clip, out, size=size, samples=samples, camera=camera, progress=True):
        print(path)
