"""Films and contact sheets of played skills: whole, of the right size, and showing what happened."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anyskill.skill.pictures import sheet, video
from anyskill.skill.play import Played, play
from tests.render.test_video import read_video
from tests.skill.test_play import STILL, RightThenLeft

LONG = "raise the right arm and then the left one " * 20


@pytest.fixture(scope="module")
def played() -> Played:
    """Three episodes; a box is thrown at the end."""
    return play(RightThenLeft(), 3, 1.4, start=STILL, perturb=True)


def blue(pixels: np.ndarray) -> np.ndarray:
    """How many pixels have the colour of a box, or of a sleeve; of pictures (…, y, x, 3)."""
    pixels = pixels.astype(int)
    return ((pixels[..., 2] - pixels[..., 0]) > 45).sum((-2, -1))


def test_a_film_shows_episodes_side_by_side(played: Played, tmp_path: Path) -> None:
    video(played, tmp_path / "film.mp4", size=64)
    meta, frames = read_video(tmp_path / "film.mp4")
    assert (meta["size"], meta["fps"]) == ((128, 128), 30)
    assert len(frames) == 42
    quarters = frames.reshape(42, 2, 64, 2, 64, 3).swapaxes(2, 3)
    assert quarters[:, 1, 1].max() < 24  # there is no fourth episode
    assert quarters[:, 0, 0].mean() > 100
    # Arms go up, right first: the orange sleeve is on the left of the picture.
    figure = np.abs(quarters[[0, 14], 0, 0].astype(int) - quarters[0, 0, 0, 0, 0]).sum(-1) > 60
    assert figure[1, :24, :32].sum() > figure[0, :24, :32].sum()


def test_a_caption_has_a_place_of_its_own(played: Played, tmp_path: Path) -> None:
    heights = []
    for number, caption in enumerate(("", "raise both arms", LONG, "举起双臂\nund los", " ")):
        path = tmp_path / f"{number}.png"
        sheet(played, path, caption, episodes=1, moments=4, size=96)
        picture = Image.open(path)
        assert picture.width == 4 * 96
        heights.append(picture.height - 96)
        header = np.asarray(picture)[: heights[-1]]
        if caption.strip():
            assert (header > 200).any()
            assert not header[:, -6:].any()  # nothing runs out of the picture
    none, short, long, _, _ = heights
    assert none == 0
    assert 20 < short < long < 64


def test_a_sheet_has_a_row_for_each_episode(played: Played, tmp_path: Path) -> None:
    sheet(played, tmp_path / "sheet.png", episodes=5, moments=4, size=64)
    pixels = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert pixels.shape == (3 * 64, 4 * 64, 3)
    cells = pixels.reshape(3, 64, 4, 64, 3).swapaxes(1, 2)
    assert (np.abs(cells[:, 1:].astype(int) - cells[:, :1]).max(-1) > 30).sum((-2, -1)).min() > 10
    boxes = blue(cells)
    assert (boxes[:, 3] > boxes[:, 0] + 5).all()  # the last moment has a box in it, the first has none
