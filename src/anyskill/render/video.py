"""Films and contact sheets of motions."""

import shutil
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont
from rich.progress import track
from torch import Tensor

from anyskill.body.humanoid import HUMANOID, Character
from anyskill.body.state import BodyState
from anyskill.files import write_atomically
from anyskill.render.camera import Camera
from anyskill.render.raytracer import Raytracer, RenderError
from anyskill.sim.scene import SceneObject

BATCH = 8  # frames drawn in one call: enough to be fast, few enough to show progress


def draw_frames(
    states: BodyState, raytracer: Raytracer, objects: BodyState | None = None
) -> Iterator[UInt8[Tensor, "height width 3"]]:
    """Pictures of all frames of a motion, in order; the views of several cameras stand side by side.

    Args:
        states: Of ``(frame,)`` batch shape.
        raytracer: With one figure; its worlds are used for successive frames.
        objects: States of the raytracer's objects, of ``(frame, object)`` shape.
    """
    states = states.to(raytracer.device)
    frames, worlds = states.batch_shape[0], raytracer.num_worlds
    for start in range(0, frames, worlds):
        index = torch.arange(start, start + worlds).clamp_max(frames - 1)  # the last batch repeats the last frame
        poses = None if objects is None else (objects.positions[index], objects.rotations[index])
        pictures = raytracer.render(states[index], objects=poses).permute(0, 2, 1, 3, 4).flatten(2, 3).cpu()
        yield from pictures[: frames - start]


def write_video(path: Path, frames: Iterable[UInt8[Tensor, "height width 3"]], fps: float) -> None:
    """Write an mp4 file (H.264, 4:2:0) that plays everywhere; it appears only when it is complete.

    Raises:
        RenderError: There is no frame, or the encoder fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        unfinished = Path(folder) / "video.mp4"
        writer = None
        try:
            for frame in frames:
                if writer is None:
                    writer = _encoder(unfinished, frame, fps)
                writer.send(np.ascontiguousarray(frame.cpu().numpy()))
        except OSError as error:
            raise RenderError(f"{path} cannot be encoded ({error}).") from None
        finally:
            if writer is not None:
                writer.close()
        if writer is None:
            raise RenderError(f"there is no frame to write to {path}.")
        with write_atomically(path) as file, unfinished.open("rb") as video:
            shutil.copyfileobj(video, file)


def _encoder(
    path: Path, frame: UInt8[Tensor, "height width 3"], fps: float
) -> Generator[None, np.ndarray | None, None]:
    height, width = frame.shape[:2]
    # Quality 8 of 10; sizes are rounded up to even numbers, which 4:2:0 needs.
    writer = imageio_ffmpeg.write_frames(
        str(path), (width, height), fps=fps, codec="libx264", quality=8, macro_block_size=2, ffmpeg_log_level="error"
    )
    writer.send(None)
    return writer


def contact_sheet(
    states: BodyState,
    path: Path | None = None,
    *,
    count: int = 16,
    columns: int = 8,
    size: int = 224,
    fps: float | None = None,
    camera: Camera | None = None,
    character: Character = HUMANOID,
    scene: Sequence[SceneObject] = (),
    objects: BodyState | None = None,
) -> Image.Image:
    """Evenly spaced frames of a motion in one picture, each with its time, or its number if there is no ``fps``.

    Args:
        states: Of ``(frame,)`` batch shape.
        path: Where to write it as PNG; None only returns it.
        count: How many frames; all of them if there are fewer.
        columns: Pictures in a row.
        size: Width and height of each picture in pixels.
        fps: Frames a second of the motion.
        camera: Where the pictures are taken from; None takes the default.
        character: Who is drawn.
        scene: Objects that are drawn with it.
        objects: Their states, of ``(frame, object)`` shape; None leaves them where they begin.
    """
    frames = states.batch_shape[0]
    chosen = torch.linspace(0, frames - 1, min(count, frames)).round().long()
    columns = min(columns, len(chosen))
    rows = -(-len(chosen) // columns)
    raytracer = Raytracer(
        min(BATCH, len(chosen)), character, size=(size, size), cameras=(camera or Camera(),), objects=scene, samples=2
    )
    pictures = draw_frames(states[chosen], raytracer, None if objects is None else objects[chosen])
    sheet = Image.new("RGB", (columns * size, rows * size), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(max(10, size // 16))
    for place, (frame, picture) in enumerate(zip(chosen.tolist(), pictures, strict=True)):
        x, y = place % columns * size, place // columns * size
        sheet.paste(Image.fromarray(picture.numpy()), (x, y))
        label = str(frame) if fps is None else f"{frame / fps:.2f} s"
        pen.text((x + size // 32, y + size // 48), label, fill="black", font=font)
    if path is not None:
        with write_atomically(path) as file:
            sheet.save(file, format="PNG")
    return sheet


def draw_motion(
    states: BodyState,
    fps: float,
    folder: Path,
    name: str,
    *,
    size: int = 480,
    samples: int = 2,
    camera: Camera | None = None,
    character: Character = HUMANOID,
    progress: bool = False,
) -> tuple[Path, Path]:
    """Write ``NAME.mp4`` and ``NAME.png``, the contact sheet, into a folder; returns both paths.

    Args:
        states: Of ``(frame,)`` batch shape.
        fps: Frames a second.
        folder: Is made if needed.
        name: Of the files, without ending.
        size: Width and height of the film in pixels.
        samples: Rays a pixel along each axis.
        camera: Where the pictures are taken from; None takes the default.
        character: Who is drawn.
        progress: Whether to show a progress bar.
    """
    camera = camera or Camera()
    total = states.batch_shape[0]
    raytracer = Raytracer(min(BATCH, total), character, size=(size, size), cameras=(camera,), samples=samples)
    video, sheet = folder / f"{name}.mp4", folder / f"{name}.png"
    frames = track(draw_frames(states, raytracer), name, total, disable=not progress, transient=True)
    write_video(video, frames, fps)
    contact_sheet(states, sheet, fps=fps, camera=camera, character=character)
    return video, sheet
