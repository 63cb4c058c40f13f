from pathlib import Path

import pytest
import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.body.model import Physics
from anyskill.body.skeleton import skeleton_of
from anyskill.cli.replay import replay
from anyskill.render.raytracer import RenderError
from anyskill.sim.recorder import FlightRecorder
from tests.render.poses import STANDING
from tests.render.test_video import read_video


def recorded(folder: Path, sane: int, broken: int) -> Path:
    """The dump of a world that rises for some steps and then is nowhere."""
    skeleton = skeleton_of(HUMANOID)
    qpos = STANDING.qpos(skeleton)
    qvel, targets = torch.zeros(1, 6 + skeleton.num_dof), torch.zeros(1, skeleton.num_dof)
    sizes = (qpos.shape[1], qvel.shape[1], targets.shape[1])
    recorder = FlightRecorder(1, sizes, HUMANOID, Physics(), torch.device("cpu"), folder)
    for step in range(sane + broken):
        qpos[:, 2] += 0.02
        if step >= sane:
            qpos = torch.full_like(qpos, torch.nan)
        if step == sane + broken - 1:
            qvel = torch.full_like(qvel, torch.inf)
        recorder.record(qpos, qvel, targets)
    (dump,) = folder.iterdir()
    return dump


def test_replay_draws_the_finite_frames_and_says_so(tmp_path, capsys):
    dump = recorded(tmp_path / "dumps", sane=6, broken=2)
    replay(dump, tmp_path / "out", size=64)
    video, sheet = (tmp_path / "out" / f"{dump.stem}.{kind}" for kind in ("mp4", "png"))
    printed = capsys.readouterr()
    assert printed.out.split() == [str(video), str(sheet)]
    assert "2 of 8 frames" in printed.err
    meta, frames = read_video(video)
    assert len(frames) == 6
    assert meta["fps"] == 30
    assert sheet.exists()


def test_replay_of_nothing_finite_is_refused(tmp_path):
    with pytest.raises(RenderError, match="no frame with finite numbers"):
        replay(recorded(tmp_path / "dumps", sane=0, broken=1), tmp_path / "out")
