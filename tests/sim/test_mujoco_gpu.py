"""What only the GPU engine has: room for contacts, and a captured graph. It runs on Warp's CPU device here."""

import warnings

import pytest
import torch
import warp

from anyskill.sim.mujoco_gpu import MujocoGpu
from tests.sim.oracle import DOF, random_states, random_targets


def test_contacts_without_room_are_reported():
    engine = MujocoGpu(2, device="cpu", constraints=8)
    with pytest.warns(UserWarning, match=r"2 of 2 worlds .*NEFC.* constraints \(now 8\)"):
        for _ in range(30):
            engine.step(torch.zeros(2, DOF))


def test_room_for_contacts_is_enough_for_a_heap_of_limbs():
    """Limp bodies dropped in random poses: no flag is raised."""
    engine = MujocoGpu(8, device="cpu")
    qpos, qvel = random_states(8, seed=8, height=1.2)
    qpos[:, 3:7] = torch.nn.functional.normalize(torch.randn(8, 4, generator=torch.Generator().manual_seed(9)), dim=-1)
    engine.reset(torch.arange(8), qpos, qvel)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(60):
            engine.step(random_targets(8, 1, seed=1)[0])
    assert (engine.state().positions[:, 0, 2] < 0.5).any()  # some lie down by then


def test_without_a_graph_it_says_so_and_moves_all_the_same(monkeypatch):
    captured = MujocoGpu(1, device="cpu")

    class Broken:
        def __enter__(self) -> None:
            raise RuntimeError("no capture today")

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(warp, "ScopedCapture", Broken)
    with pytest.warns(UserWarning, match=r"without a captured graph.*no capture today.*update the driver"):
        plain = MujocoGpu(1, device="cpu")
    for targets in random_targets(1, 3):
        captured.step(targets)
        plain.step(targets)
    for name, kept in captured.state_dict().items():
        assert torch.equal(kept, plain.state_dict()[name]), name
