from PIL import Image

from anyskill.cli.view import view
from anyskill.motion.formats.clip_npz import save_clip
from tests.render.test_video import arms_going_up, read_video


def test_view_draws_a_file_of_our_own(tmp_path, capsys):
    source = tmp_path / "wave.npz"
    save_clip(arms_going_up(21), source)
    view(source, tmp_path / "out", size=64, fps=10, samples=1)
    video, sheet = (tmp_path / "out" / f"wave.{kind}" for kind in ("mp4", "png"))
    assert capsys.readouterr().out.split() == [str(video), str(sheet)]
    meta, frames = read_video(video)
    assert meta["fps"] == 10
    assert len(frames) == 11
    assert Image.open(sheet).size == (8 * 224, 2 * 224)
