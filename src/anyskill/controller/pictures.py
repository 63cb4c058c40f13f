"""Side by side: the clip in green, what the controller made of it in white (AnySkill, Fig. 3)."""

import io
import math
from pathlib import Path

import torch
from PIL import Image

from anyskill import rotation
from anyskill.body.appearance import Color
from anyskill.body.humanoid import Character
from anyskill.body.state import BodyState
from anyskill.render.camera import Camera
from anyskill.render.raytracer import Raytracer
from anyskill.render.video import BATCH, draw_frames, write_video
from anyskill.sim.engine import CONTROL_RATE

GREEN: Color = (0.20, 0.72, 0.30)
WHITE: Color = (1.0, 1.0, 1.0)
_YAW = math.radians(25)  # of the camera, off the direction the clip faces at first


def strip(wanted: BodyState, done: BodyState, character: Character, *, count: int = 8, size: int = 144) -> Image.Image:
    """Evenly spaced frames: the clip above, the controller below.

    Args:
        wanted: The clip, of ``(frame,)`` batch shape.
        done: What the controller did, as long.
        character: Who is drawn.
        count: Pictures in a row.
        size: Width and height of each picture in pixels.
    """
    chosen = torch.linspace(0, wanted.batch_shape[0] - 1, count).round().long()
    sheet = Image.new("RGB", (count * size, 2 * size))
    for row, (states, tint) in enumerate(((wanted, GREEN), (done, WHITE))):
        raytracer = _raytracer(wanted, tint, character, size, samples=2)
        for column, picture in enumerate(draw_frames(states[chosen], raytracer)):
            sheet.paste(Image.fromarray(picture.numpy()), (column * size, row * size))
    return sheet


def film(path: Path, wanted: BodyState, done: BodyState, character: Character, *, size: int = 320) -> None:
    """Write an mp4 film of both, the clip on the left; arguments as of ``strip``."""
    both = (
        draw_frames(states, _raytracer(wanted, tint, character, size))
        for states, tint in ((wanted, GREEN), (done, WHITE))
    )
    write_video(path, (torch.cat(pair, 1) for pair in zip(*both, strict=True)), CONTROL_RATE)


def jpeg(picture: Image.Image, quality: int = 82) -> bytes:
    """A picture as a file, small enough to go into a page."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def _raytracer(wanted: BodyState, tint: Color, character: Character, size: int, samples: int = 1) -> Raytracer:
    """One that sees a figure from where the clip faces at first."""
    facing = float(rotation.heading(wanted.rotations[0, 0]))
    camera = Camera(yaw=facing + _YAW, field_of_view=math.radians(38))
    return Raytracer(BATCH, character, size=(size, size), cameras=(camera,), tints=(tint,), samples=samples)
