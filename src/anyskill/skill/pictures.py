"""Films and contact sheets of a skill that was played."""

import math
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from rich.progress import track
from torch import Tensor

from anyskill.body.state import BodyState
from anyskill.files import write_atomically
from anyskill.render.camera import Camera
from anyskill.render.raytracer import Raytracer
from anyskill.render.video import contact_sheet, write_video
from anyskill.sim.engine import CONTROL_RATE
from anyskill.sim.scene import SceneObject
from anyskill.skill.perturbation import BOXES
from anyskill.skill.play import Played

_YAW = math.radians(25)  # of the camera, off the direction in which episodes begin
_FAR = 4.5  # m; from there boxes are seen coming
_LINES = 2  # of a caption


def video(
    played: Played, path: Path, caption: str = "", *, episodes: int = 4, size: int = 320, progress: bool = False
) -> None:
    """Write an mp4 film of the first episodes, side by side, in real time.

    Args:
        played: What to show.
        path: The file.
        caption: Is written above the pictures.
        episodes: How many are shown at most.
        size: Width and height of each picture in pixels.
        progress: Whether to show a progress bar.

    Raises:
        RenderError: The film cannot be written.
    """
    frames, total = _frames(played, min(episodes, len(played.fallen)), size, caption), len(played.states.positions)
    console = Console(stderr=True)
    write_video(
        path, track(frames, path.name, total, console=console, disable=not progress, transient=True), CONTROL_RATE
    )


def sheet(
    played: Played, path: Path, caption: str = "", *, episodes: int = 2, moments: int = 8, size: int = 192
) -> None:
    """Write a PNG contact sheet of the first episodes: a row each, with evenly spaced moments.

    Args:
        played: What to show.
        path: The file.
        caption: Is written above the pictures.
        episodes: How many are shown at most.
        moments: Pictures in a row.
        size: Width and height of each picture in pixels.
    """
    rows = [
        contact_sheet(
            played.states[:, episode],
            count=moments,
            columns=moments,
            size=size,
            fps=CONTROL_RATE,
            camera=_camera(played),
            character=played.character,
            scene=_scene(played),
            objects=None if played.objects is None else played.objects[:, episode],
        )
        for episode in range(min(episodes, len(played.fallen)))
    ]
    if caption:
        rows.insert(0, _header(caption, rows[0].width))
    whole = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)))
    top = 0
    for row in rows:
        whole.paste(row, (0, top))
        top += row.height
    with write_atomically(path) as file:
        whole.save(file, format="PNG")


def _frames(played: Played, episodes: int, size: int, caption: str) -> Iterator[UInt8[Tensor, "height width 3"]]:
    device = played.states.positions.device
    raytracer = Raytracer(
        episodes,
        played.character,
        size=(size, size),
        cameras=(_camera(played),),
        device=device,
        objects=_scene(played),
    )
    columns = math.ceil(math.sqrt(episodes))
    rows = math.ceil(episodes / columns)
    header = torch.zeros(0, columns * size, 3, dtype=torch.uint8)
    if caption:
        header = torch.from_numpy(np.array(_header(caption, columns * size)))
    for time in range(len(played.states.positions)):
        pictures = raytracer.render(played.states[time, :episodes], objects=_poses(played.objects, time, episodes))
        grid = torch.zeros(rows * columns, size, size, 3, dtype=torch.uint8)
        grid[:episodes] = pictures[:, 0].cpu()
        frame = grid.unflatten(0, (rows, columns)).transpose(1, 2).flatten(0, 1).flatten(1, 2)
        yield torch.cat((header, frame))


def _poses(objects: BodyState | None, time: int, episodes: int) -> tuple[Tensor, Tensor] | None:
    return None if objects is None else (objects.positions[time, :episodes], objects.rotations[time, :episodes])


def _scene(played: Played) -> tuple[SceneObject, ...]:
    return () if played.objects is None else BOXES


def _camera(played: Played) -> Camera:
    return Camera(yaw=_YAW) if played.objects is None else Camera(distance=_FAR, yaw=_YAW)


def _header(caption: str, width: int) -> Image.Image:
    """The caption in white on black, in a few lines; what does not fit is left out."""
    font = ImageFont.load_default(max(14, width // 72))
    margin = width // 64
    words = " ".join(caption.split())
    letter = max(font.getlength(words) / max(len(words), 1), 1.0)  # mean width in pixels
    letters = max(int(0.9 * (width - 2 * margin) / letter), 2)
    text = "\n".join(textwrap.wrap(words, letters, max_lines=_LINES, placeholder=" …"))
    _, _, _, bottom = ImageDraw.Draw(Image.new("RGB", (1, 1))).multiline_textbbox((margin, margin), text, font)
    header = Image.new("RGB", (width, 2 * math.ceil((bottom + margin) / 2)))  # films have even sizes
    ImageDraw.Draw(header).multiline_text((margin, margin), text, "white", font)
    return header
