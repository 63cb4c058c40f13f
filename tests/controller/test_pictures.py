"""Side by side: who is green, who is white, and that films are whole."""

import io
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import torch
from PIL import Image

from anyskill.controller.pictures import film, jpeg, strip
from tests.controller.made_up import SKELETON, library


def motions(frames: int):
    """The right arm, and the left arm in its stead."""
    clips = library()
    time = torch.arange(frames)
    return (clips.states(torch.full_like(time, clip), time) for clip in (0, 1))


def test_the_clip_is_green_above_and_the_controller_white_below() -> None:
    wanted, done = motions(61)
    sheet = strip(wanted, done, SKELETON.character, count=3, size=64)
    assert sheet.size == (3 * 64, 2 * 64)
    pixels = np.asarray(sheet).astype(int).reshape(2, 64, 3, 64, 3).swapaxes(1, 2)  # row, column, y, x, channel
    green = (pixels[..., 1] - np.maximum(pixels[..., 0], pixels[..., 2]) > 25).sum((-2, -1))
    assert (green[0] > 100).all()
    assert (green[1] < 0.1 * green[0]).all()
    assert (np.abs(pixels[1, 2] - pixels[1, 0]).max(-1) > 30).sum() > 20  # the arm has moved


def test_a_film_shows_both_side_by_side(tmp_path: Path) -> None:
    wanted, done = motions(10)
    film(tmp_path / "x.mp4", wanted, done, SKELETON.character, size=64)
    frames = imageio_ffmpeg.read_frames(str(tmp_path / "x.mp4"))
    meta = next(frames)
    assert (meta["size"], meta["fps"]) == ((128, 64), 30)
    assert len(list(frames)) == 10


def test_a_picture_survives_as_jpeg() -> None:
    picture = Image.new("RGB", (8, 4), (200, 30, 30))
    again = Image.open(io.BytesIO(jpeg(picture)))
    assert again.size == (8, 4)
    assert np.abs(np.asarray(again).astype(int) - [200, 30, 30]).max() < 12
