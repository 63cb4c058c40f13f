"""Motions of what a controller does, on controllers of which the answer is known."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from anyskill.body.state import BodyState
from anyskill.controller import record as module
from anyskill.controller.controller import Controller
from anyskill.controller.recall import recall
from anyskill.controller.record import record, stretched, wandered, write
from anyskill.motion.dataset import load_dataset
from anyskill.motion.library import MotionLibrary
from anyskill.sim.mujoco_cpu import MujocoCpu
from tests.controller.made_up import SKELETON, Scripted, arm_clip, library


def test_what_is_done_well_goes_by_the_name_of_its_clip(tmp_path: Path) -> None:
    motions = library()
    order = [1, 1, 2]  # the first clip is done as the second is
    clips = record(Scripted(motions, order), MujocoCpu(3), motions)
    assert [clip.name for clip in clips] == [f"{motions.names[number]}-played" for number in (1, 2)]
    assert [clip.labels for clip in clips] == list(motions.labels[1:])
    done = recall(Scripted(motions, order), MujocoCpu(3), motions)
    states = done.done[: int(done.lengths[1]), 1]
    read = MotionLibrary(load_dataset(write(clips, tmp_path / "played")).clips)
    frames = torch.arange(len(states.positions))
    again = read.states(torch.zeros_like(frames), frames)
    torch.testing.assert_close(again.positions, states.positions, atol=1e-4, rtol=0)
    assert read.labels == tuple(motions.labels[1:])


def test_who_hardly_moves_does_not_do_what_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    motions = library()
    recalled = recall(Scripted(motions, [0, 1, 2]), MujocoCpu(3), motions)
    time = torch.arange(len(recalled.wanted.positions))
    trembling = torch.zeros_like(recalled.wanted.positions)
    trembling[:, 1, 5, 0] = 0.1 * (time % 2)  # the second clip does, at 3 m/s
    wanted = replace(recalled.wanted, positions=recalled.wanted.positions + trembling)
    monkeypatch.setattr(module, "recall", lambda *_, **__: replace(recalled, wanted=wanted))
    clips = record(Scripted(motions, [0, 1, 2]), MujocoCpu(3), motions)
    assert [clip.name for clip in clips] == [f"{motions.names[number]}-played" for number in (0, 2)]


def test_who_stays_on_the_ground_has_not_jumped(monkeypatch: pytest.MonkeyPatch) -> None:
    motions = library()
    recalled = recall(Scripted(motions, [0, 1, 2]), MujocoCpu(3), motions)
    assert recalled.kept.all()
    higher = torch.zeros_like(recalled.wanted.positions)
    higher[5, 0, :, 2] = 0.1  # the first clip jumps
    beyond = torch.zeros_like(higher)
    beyond[int(recalled.lengths[1]) :, 1, :, 2] = 0.1  # what does not count
    wanted = replace(recalled.wanted, positions=recalled.wanted.positions + higher + beyond)
    assert isinstance(wanted, BodyState)
    monkeypatch.setattr(module, "recall", lambda *_, **__: replace(recalled, wanted=wanted))
    clips = record(Scripted(motions, [0, 1, 2]), MujocoCpu(3), motions)
    assert [clip.name for clip in clips] == [f"{name}-played" for name in motions.names[1:]]


class Obedient(Scripted):
    """The right shoulder goes where a latent's first number says (rad)."""

    def act(self, state, z):
        targets = torch.zeros(len(z), SKELETON.num_dof)
        targets[:, 7] = z[:, 0]
        return targets


def obedient(motions: MotionLibrary, **paths: list[float]) -> Controller:
    controller = Obedient(motions, [0])
    angles = torch.tensor([angle for path in paths.values() for angle in path])
    controller.paths = torch.nn.functional.pad(angles[:, None], (0, 3))
    controller.path_names = tuple(name for name, path in paths.items() for _ in path)
    return controller


def test_stretches_go_by_a_name_if_they_go_as_far(tmp_path: Path) -> None:
    quick = [
        replace(arm_clip(name, 7, -1.5, seconds=2.2), loop=True) for name in ("swings", "half", "twitches", "unknown")
    ]
    motions = MotionLibrary([*quick, arm_clip("slow", 7, -0.3)])
    paths = {"swings": -1.4, "half": -0.72, "twitches": -0.1}
    paths = {name: ([0.0] * 3 + [angle] * 3) * 2 for name, angle in paths.items()} | {"slow": [0.0, -1.5] * 9}
    clips = stretched(obedient(motions, **paths), MujocoCpu(90), motions, torch.Generator().manual_seed(0))
    assert {clip.name.partition("-played-")[0] for clip in clips} == {"swings", "half", "twitches"}
    swing = {}
    for clip in clips:
        shoulder = SKELETON.dofs_from_rotations(clip.rotations)[:, 7]
        swing[clip.name] = float(shoulder.std() / (0.75 / 2**0.5))  # the clip goes as the cosine
        assert (len(shoulder), clip.fps, clip.loop) == (120, 30, False)
    named = {clip.name for clip in clips if clip.labels}
    assert 10 < len(named) < 30 and len(clips) - len(named) >= 30
    assert len(clips) < 80  # half as far, or a little further, is in doubt
    assert all(clip.labels == ("swings",) for clip in clips if clip.labels)
    assert min(swing[name] for name in named) > 0.65
    assert max(share for name, share in swing.items() if name not in named) < 0.55
    read = load_dataset(write(clips[:1], tmp_path, clips[1:]))
    assert [motion.weight for motion in read.motions] == [1.0] + [0.25] * (len(clips) - 1)


def test_without_a_path_of_a_clip_that_moves_there_are_no_stretches() -> None:
    motions = library()  # slower than half a metre a second
    controller = obedient(motions, **{name: [0.0, 1.0] for name in motions.names})
    assert stretched(controller, MujocoCpu(2), motions, torch.Generator()) == []


def test_bodies_that_wander_are_recorded_without_a_name() -> None:
    motions = library()
    clips = wandered(Scripted(motions, [0, 1, 2]), MujocoCpu(3), motions, torch.Generator().manual_seed(0))
    assert [(clip.name, clip.labels) for clip in clips] == [(f"wandering-{number}", ()) for number in (1, 2, 3)]
    assert all(len(clip.root_positions) == module.SECONDS * clip.fps for clip in clips)
    moved = [(clip.root_positions - clip.root_positions[0]).norm(dim=-1).max() for clip in clips]
    assert all(0.001 < float(way) < 3 for way in moved)
