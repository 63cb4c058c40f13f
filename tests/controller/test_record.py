"""Motions of what a controller does, on controllers of which the answer is known."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from anyskill.body.state import BodyState
from anyskill.controller import record as module
from anyskill.controller.recall import recall
from anyskill.controller.record import record, write
from anyskill.motion.dataset import load_dataset
from anyskill.motion.library import MotionLibrary
from anyskill.sim.mujoco_cpu import MujocoCpu
from tests.controller.made_up import Scripted, library


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
