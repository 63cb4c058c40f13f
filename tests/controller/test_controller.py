"""The controller as a file: what was saved acts and encodes as before; anything else is refused in a sentence."""

from pathlib import Path

import pytest
import torch

from anyskill.controller.controller import FORMAT, Controller, ControllerConfig, ControllerError
from anyskill.controller.networks import random_latents
from anyskill.learning.state import read_state, write_state
from tests.controller.made_up import library


def make() -> Controller:
    config = ControllerConfig(units=(64, 32), latent=16, stride=4, encoder_units=(32,))
    latents = random_latents(10, 16, torch.Generator().manual_seed(1))
    names = tuple(f"clip {i}" for i in range(10))
    controller = Controller(config, latents, names, latents.repeat_interleave(2, 0), tuple(2 * names))
    motions = library()
    controller.frames.update(motions.windows(*motions.places(), 1))
    return controller


def test_saving_changes_nothing_that_can_be_felt(tmp_path: Path) -> None:
    controller = make()
    controller.save(tmp_path / "c.safetensors")
    loaded = Controller.load(tmp_path / "c.safetensors")
    motions = library()
    clip, frame = motions.sample(50, torch.Generator().manual_seed(2))
    state, z = motions.states(clip, frame), controller.latents[torch.arange(50) % 10]
    assert (controller.act(state, z) - loaded.act(state, z)).abs().max() < 2e-3  # rad
    windows = motions.windows(clip, frame, 60)
    a, b = controller.encode(windows), loaded.encode(windows)
    assert ((a * b).sum(-1) > 1 - 1e-4).all()
    assert torch.allclose(a.norm(dim=-1), torch.ones(50), atol=1e-5)
    assert (loaded.names, loaded.path_names) == (controller.names, controller.path_names)
    for name in ("latents", "paths"):
        torch.testing.assert_close(getattr(loaded, name), getattr(controller, name), atol=1e-3, rtol=0)
    assert loaded.config == controller.config


def test_targets_stay_within_what_an_action_can_ask_for() -> None:
    controller = make()
    motions = library()
    clip, frame = motions.sample(20, torch.Generator().manual_seed(3))
    with torch.no_grad():
        controller.policy.head.bias += 100.0
    targets = controller.act(motions.states(clip, frame), controller.latents[:1].expand(20, -1))
    skeleton = controller.skeleton
    assert torch.allclose(targets, (skeleton.action_offset + skeleton.action_scale).float().expand_as(targets))


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    with pytest.raises(ControllerError, match="no such file"):
        Controller.load(path)
    path.write_bytes(b"nonsense")
    with pytest.raises(ControllerError, match="damaged"):
        Controller.load(path)
    write_state(path, {"something": torch.zeros(3)})
    with pytest.raises(ControllerError, match="no controller"):
        Controller.load(path)
    make().save(path)
    content = read_state(path)
    content["header"]["format"] = 99
    write_state(path, content)
    with pytest.raises(ControllerError, match="format 99"):
        Controller.load(path)
    content["header"]["format"] = FORMAT
    content["header"]["config"]["units"] = [8]
    write_state(path, content)
    with pytest.raises(ControllerError, match="no controller"):
        Controller.load(path)
