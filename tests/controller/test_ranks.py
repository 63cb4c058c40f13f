"""CALM on two processes with half of the samples each does what one process does with all of them."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from anyskill.controller.distillation import Distillation
from anyskill.controller.pretraining import Pretraining, PretrainingConfig
from anyskill.controller.teacher import Teacher
from anyskill.learning import distributed
from anyskill.learning.buffers import RowBuffer
from anyskill.learning.ppo import PPOConfig
from anyskill.learning.rollout import Batch
from anyskill.learning.state import State, read_state, write_state
from anyskill.motion.library import MotionLibrary
from anyskill.sim.mujoco_cpu import MujocoCpu
from tests.controller.made_up import arm_clip, tiny
from tests.controller.test_distillation import RISER, STUDENT, TEACHER

CLIPS = [arm_clip("right arm", 7, -1.5), arm_clip("left arm", 11, -1.5), arm_clip("right elbow", 9, -1.5)]
SAMPLES = 128


def share(tensor: Tensor) -> Tensor:
    """This rank's part of what all ranks have together."""
    return tensor.chunk(distributed.num_ranks())[distributed.rank()]


class SharedLibrary(MotionLibrary):
    """All ranks draw the same for everyone together, and each takes its part."""

    def sample_pair(self, n: int, *rest) -> tuple[Tensor, ...]:
        drawn = super().sample_pair(n * distributed.num_ranks(), *rest)
        for part in drawn:  # the neighbour of each half's first is the same, whether halves are rolled or the whole
            part[len(part) // 2 - 1] = part[-1]
        return tuple(share(part) for part in drawn)

    def sample_overlapping(self, n: int, *rest) -> tuple[Tensor, ...]:
        return tuple(share(part) for part in super().sample_overlapping(n * distributed.num_ranks(), *rest))


class SharedReplay(RowBuffer):
    """The same for what is replayed."""

    def sample(self, count: int, generator: torch.Generator) -> Batch:
        return {name: share(rows) for name, rows in super().sample(count * distributed.num_ranks(), generator).items()}


def settings() -> PretrainingConfig:
    """Every gradient step takes the whole batch. The uniformity loss is off: it compares pairs within a process."""
    config = tiny("calm")
    return replace(
        config,
        ppo=PPOConfig(
            minibatch_size=SAMPLES // distributed.num_ranks(),
            epochs=2,
            learning_rate=1e-3,
            kl_target=0.02,
            max_grad_norm=1.0,
        ),
        calm=replace(
            config.calm,
            uniformity_weight=0.0,
            discriminator=replace(config.calm.discriminator, samples=SAMPLES, replay_keep=1.0),
        ),
    )


def make() -> Pretraining:
    config = settings()
    trainer = Pretraining(config, MujocoCpu(config.worlds), SharedLibrary(CLIPS))
    trainer.method.replay = SharedReplay(500)
    return trainer


def lived() -> State:
    """Where a trainer stands before its third update, and the batch for it."""
    trainer, batches = make(), []
    trainer.iterate()
    trainer.iterate()
    trainer.ppo.update = lambda batch, losses: batches.append(batch) or {}
    trainer.iterate()
    return {"parts": {name: part.state_dict() for name, part in trainer.parts.items()}, "batch": batches[0]}


def update(state: State) -> State:
    """What comes of it, here or with the other ranks."""
    trainer = make()
    for name in ("model", "encoder", "discriminator", "frames", "replay", "ppo"):
        trainer.parts[name].load_state_dict(state["parts"][name])
    trainer.method.generator = torch.Generator().manual_seed(5)
    batch = {name: share(values) for name, values in state["batch"].items()}
    metrics = trainer.ppo.update(batch, trainer.method.losses)
    parts = {name: trainer.parts[name].state_dict() for name in ("model", "encoder", "discriminator")}
    return {"parts": parts, "names": list(metrics), "metrics": list(metrics.values())}


def distil() -> State:
    """A student after two iterations in worlds of this rank's own."""
    teacher = Teacher(TEACHER, MujocoCpu(TEACHER.worlds), MotionLibrary(CLIPS))
    riser = Teacher(RISER, MujocoCpu(TEACHER.worlds), MotionLibrary(CLIPS))
    student = Distillation(STUDENT, teacher, riser)
    student.iterate()
    student.iterate()
    return {"student": student.student.state_dict(), "clip": student.task.clip}


def work(rank: int, port: int, folder: str) -> None:
    torch.set_num_threads(1)
    environment = pytest.MonkeyPatch()
    values = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": 2, "RANK": rank, "LOCAL_RANK": rank}
    for name, value in values.items():
        environment.setenv(name, str(value))
    distributed.join("cpu")
    state = {"update": update(read_state(Path(folder) / "lived")), "student": distil()}
    distributed.leave()
    write_state(Path(folder) / str(rank), state)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    write_state(folder / "lived", lived())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(work, (port, str(folder)), nprocs=2)
    return folder


def test_two_halves_are_the_whole(folder: Path) -> None:
    before = read_state(folder / "lived")
    whole, halves = update(before), [read_state(folder / str(rank))["update"] for rank in range(2)]
    assert len(before["batch"]["window"]) == SAMPLES
    for part, tensors in whole["parts"].items():
        moved = 0.0
        for name, tensor in tensors.items():
            assert torch.equal(halves[0]["parts"][part][name], halves[1]["parts"][part][name]), name
            torch.testing.assert_close(halves[0]["parts"][part][name], tensor, atol=1e-5, rtol=1e-4, msg=name)
            moved = max(moved, float((tensor - before["parts"][part][name]).abs().max()))
        assert moved > 1e-4, part
    for name, half, full in zip(whole["names"], halves[0]["metrics"], whole["metrics"], strict=True):
        if name != "ppo/explained_variance":  # the mean of two halves, each about its own mean
            assert half == pytest.approx(full, rel=1e-3, abs=1e-5), name


def test_ranks_share_a_student_and_have_worlds_of_their_own(folder: Path) -> None:
    ours, theirs = (read_state(folder / str(rank))["student"] for rank in range(2))
    assert not torch.equal(ours["clip"], theirs["clip"])
    different = [name for name, tensor in ours["student"].items() if not torch.equal(tensor, theirs["student"][name])]
    assert not different
