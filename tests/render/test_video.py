from collections.abc import Iterator

import imageio_ffmpeg
import numpy as np
import pytest
import torch
from PIL import Image

from anyskill.body.state import BodyState
from anyskill.motion.clip import Clip
from anyskill.render.camera import Camera, around
from anyskill.render.raytracer import Raytracer, RenderError
from anyskill.render.video import contact_sheet, draw_frames, draw_motion, write_video

from .poses import ARMS_UP, SKELETON, STANDING


def squares(count: int, height: int = 48, width: int = 64) -> list[torch.Tensor]:
    """Frames that get brighter, red on the left and blue on the right."""
    frames = torch.zeros(count, height, width, 3, dtype=torch.uint8)
    levels = torch.linspace(60, 250, count)[:, None, None].to(torch.uint8)
    frames[:, :, : width // 2, 0] = levels
    frames[:, :, width // 2 :, 2] = levels
    return list(frames)


def read_video(path) -> tuple[dict, np.ndarray]:
    reader = imageio_ffmpeg.read_frames(str(path))
    meta = next(reader)
    width, height = meta["size"]
    frames = [np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in reader]
    return meta, np.stack(frames)


def arms_going_up(frames: int) -> Clip:
    start, end = (SKELETON.local_rotations(state.rotations) for state in (STANDING, ARMS_UP))
    share = torch.linspace(0, 1, frames)[:, None, None]
    local = torch.nn.functional.normalize((1 - share) * start + share * end, dim=-1)
    root = torch.tensor([0.0, 0.0, 0.89]).expand(frames, 3)
    return Clip("arms-up", 20.0, root.double(), local.double())


def test_video_has_the_frames_that_went_in(tmp_path):
    path = tmp_path / "folder" / "film.mp4"
    frames = squares(13)
    write_video(path, frames, 24)
    assert imageio_ffmpeg.count_frames_and_secs(str(path))[0] == 13
    meta, seen = read_video(path)
    assert meta["size"] == (64, 48)
    assert meta["fps"] == 24
    assert meta["codec"] == "h264"
    assert meta["pix_fmt"].startswith("yuv420p")
    difference = np.abs(seen.astype(int) - torch.stack(frames).numpy())
    assert difference[:, :, [*range(4, 28), *range(36, 60)]].mean() < 12  # away from the edge, where colours mix


def test_odd_sizes_become_even(tmp_path):
    write_video(tmp_path / "odd.mp4", squares(3, 33, 47), 30)
    assert read_video(tmp_path / "odd.mp4")[0]["size"] == (48, 34)


def test_unfinished_video_leaves_the_old_file(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"old")

    def broken() -> Iterator[torch.Tensor]:
        yield from squares(3)
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_video(path, broken(), 30)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["film.mp4"]


def test_video_without_frames_is_refused(tmp_path):
    with pytest.raises(RenderError, match="no frame"):
        write_video(tmp_path / "film.mp4", [], 30)
    assert not list(tmp_path.iterdir())


def test_frames_come_in_order_and_views_side_by_side():
    states = arms_going_up(5).states()
    cameras = around(2)
    in_batches = list(draw_frames(states, Raytracer(2, size=(64, 48), cameras=cameras)))
    assert len(in_batches) == 5
    for frame, picture in enumerate(in_batches):
        state = states[frame : frame + 1]
        views = [Raytracer(1, size=(64, 48), cameras=(camera,)).render(state)[0, 0] for camera in cameras]
        assert torch.equal(picture, torch.cat(views, 1))


def test_contact_sheet_shows_evenly_spaced_frames(tmp_path):
    states = arms_going_up(9).states()
    sheet = contact_sheet(states, tmp_path / "sheet.png", count=3, columns=2, size=96, fps=20)
    assert sheet.size == (192, 192)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sheet.png")), np.asarray(sheet))
    raytracer = Raytracer(1, size=(96, 96), samples=2)
    for place, frame in enumerate((0, 4, 8)):
        x, y = place % 2 * 96, place // 2 * 96
        expected = raytracer.render(states[frame : frame + 1])[0, 0].numpy()
        tile = np.asarray(sheet)[y : y + 96, x : x + 96]
        assert np.array_equal(tile[20:], expected[20:])  # the time is above
        assert not np.array_equal(tile[:20], expected[:20])


def test_contact_sheet_of_few_frames_is_as_wide_as_they_are():
    assert contact_sheet(BodyState.cat([STANDING, ARMS_UP]), size=32).size == (64, 32)


def test_a_motion_becomes_a_film_and_a_sheet(tmp_path):
    clip = arms_going_up(11)
    video, sheet = draw_motion(clip.states(), clip.fps, tmp_path, clip.name, size=64, samples=1, camera=Camera(yaw=0.5))
    assert (video.name, sheet.name) == ("arms-up.mp4", "arms-up.png")
    meta, frames = read_video(video)
    assert len(frames) == 11
    assert meta["fps"] == 20
    assert np.abs(frames[0].astype(int) - frames[-1]).max() > 60
    assert Image.open(sheet).size == (8 * 224, 2 * 224)
