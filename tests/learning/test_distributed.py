"""Two processes with half of the data each do what one does with all of it."""

import socket
from pathlib import Path

import pytest
import torch
from torch import nn

from anyskill.learning import distributed, losses
from anyskill.learning.actor_critic import ActorCritic
from anyskill.learning.networks import MLP, GaussianPolicy, Value
from anyskill.learning.normalizer import RunningNormalizer
from anyskill.learning.ppo import PPO, PPOConfig
from anyskill.learning.rollout import Batch
from anyskill.learning.state import State, read_state, write_state

SAMPLES = 64


def data() -> Batch:
    random = torch.Generator().manual_seed(0)
    return {
        "observation": torch.randn(SAMPLES, 3, generator=random) * 2 + 1,
        "action": torch.randn(SAMPLES, 2, generator=random),
        "mean": torch.randn(SAMPLES, 2, generator=random),
        "log_probability": torch.randn(SAMPLES, generator=random) - 3,
        "advantage": torch.randn(SAMPLES, generator=random) + torch.linspace(-1, 1, SAMPLES),
        "return": torch.randn(SAMPLES, generator=random) * 5 + 3,
        # The halves differ in how many samples count.
        "stochastic": torch.rand(SAMPLES, generator=random) < torch.linspace(0.2, 1.2, SAMPLES),
    }


def learn(batch: Batch, minibatch: int) -> State:
    random = torch.Generator().manual_seed(10 + distributed.rank())  # rank 1 starts elsewhere, until it is told
    policy = GaussianPolicy(MLP(3, (16,), random), 2, -0.5, random)
    model = ActorCritic(policy, Value(MLP(3, (16,), random), random), 3)
    config = PPOConfig(
        learning_rate=1e-3,
        epochs=4,
        minibatch_size=minibatch,
        kl_target=0.05,
        max_grad_norm=0.5,
    )
    ppo = PPO(config, model, torch.Generator().manual_seed(distributed.rank()))
    metrics = {}
    for _ in range(3):
        metrics = ppo.update(batch)
    normalizer = RunningNormalizer(3)
    normalizer.update(batch["observation"])
    return {
        "model": model.state_dict(),
        "metrics": list(metrics.values()),
        "names": list(metrics),
        "normalizer": normalizer.state_dict(),
        "advantage": losses.standardized(batch["advantage"], batch["stochastic"]),
        "extremes": [distributed.smallest(5 - distributed.rank()), distributed.largest(distributed.rank())],
    }


def work(rank: int, port: int, folder: str) -> None:
    torch.set_num_threads(1)
    environment = pytest.MonkeyPatch()
    values = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": 2, "RANK": rank, "LOCAL_RANK": rank}
    for name, value in values.items():
        environment.setenv(name, str(value))
    assert distributed.join("cpu") == torch.device("cpu")
    assert (distributed.rank(), distributed.num_ranks()) == (rank, 2)
    half = slice(0, SAMPLES // 2) if rank == 0 else slice(SAMPLES // 2, None)
    state = learn({name: tensor[half] for name, tensor in data().items()}, SAMPLES // 2)
    distributed.leave()
    write_state(Path(folder) / str(rank), state)


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[State]:
    folder = tmp_path_factory.mktemp("ranks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(work, (port, str(folder)), nprocs=2)
    return [read_state(folder / str(rank)) for rank in range(2)]


def test_ranks_agree_to_the_last_bit(ranks: list[State]) -> None:
    for name, tensor in ranks[0]["model"].items():
        assert torch.equal(tensor, ranks[1]["model"][name]), name
    assert ranks[0]["metrics"] == ranks[1]["metrics"]
    assert ranks[0]["extremes"] == ranks[1]["extremes"] == [4, 1]


def test_two_halves_are_the_whole(ranks: list[State]) -> None:
    whole = learn(data(), SAMPLES)
    for name, tensor in whole["model"].items():
        torch.testing.assert_close(ranks[0]["model"][name], tensor, atol=1e-5, rtol=1e-4, msg=name)
    for name, tensor in whole["normalizer"].items():
        torch.testing.assert_close(ranks[0]["normalizer"][name], tensor, atol=1e-12, rtol=1e-12)
    halves = torch.cat([rank["advantage"] for rank in ranks])
    torch.testing.assert_close(halves, whole["advantage"], atol=1e-6, rtol=1e-5)
    for name, half, full in zip(whole["names"], ranks[0]["metrics"], whole["metrics"], strict=True):
        if name != "ppo/explained_variance":  # the mean of two halves, each about its own mean
            assert half == pytest.approx(full, rel=1e-3, abs=1e-6), name


def test_a_process_alone_notices_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert distributed.join("cpu") == torch.device("cpu")
    tensor = torch.ones(3)
    assert distributed.total(tensor) is tensor and torch.equal(distributed.average(tensor), tensor)
    assert (distributed.rank(), distributed.num_ranks(), distributed.largest(3)) == (0, 1, 3)
    layer = nn.Linear(1, 1)
    distributed.average_gradients(layer.parameters())
    distributed.leave()
