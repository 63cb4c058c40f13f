"""Draws ``repertoire.png``: a frame from the middle of every motion that comes with the package."""

import math
from pathlib import Path

from PIL import Image, ImageDraw

import anyskill  # noqa: F401 - first, see there
from anyskill.motion.authored import authored_motions
from anyskill.render.camera import Camera
from anyskill.render.raytracer import Raytracer

SIZE, CAPTION, COLUMNS = 150, 14, 17

clips = [motion.clip for motion in authored_motions() if not motion.clip.name.endswith("-mirrored")]
raytracer = Raytracer(1, size=(SIZE, SIZE), cameras=[Camera(yaw=math.radians(35))])
sheet = Image.new("RGB", (COLUMNS * SIZE, math.ceil(len(clips) / COLUMNS) * (SIZE + CAPTION)), "white")
draw = ImageDraw.Draw(sheet)
for number, clip in enumerate(clips):
    middle = clip.num_frames // 2
    picture = raytracer.render(clip.states()[middle : middle + 1].to("cpu"))[0, 0].numpy()
    row, column = divmod(number, COLUMNS)
    corner = (column * SIZE, row * (SIZE + CAPTION))
    sheet.paste(Image.fromarray(picture), (corner[0], corner[1] + CAPTION))
    draw.text((corner[0] + 2, corner[1] + 1), clip.name.replace("_", " ")[:24], fill="black")
sheet.convert("P", palette=Image.Palette.ADAPTIVE, colors=128).save(
    Path(__file__).with_name("repertoire.png"), optimize=True
)
