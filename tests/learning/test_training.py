"""The whole core at work: it learns, and what stops goes on as if nothing had happened."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from anyskill.learning.errors import CheckpointError, LearningError
from anyskill.learning.loop import train
from anyskill.learning.run_folder import RunFolder
from anyskill.learning.state import read_state
from tests.learning.point_mass import PointMassConfig, PointMassTrainer

REPOSITORY = Path(__file__).parents[2]


def command(folder: Path, iterations: int, save_every: int = 5) -> list[str]:
    return [sys.executable, "-m", "tests.learning.point_mass", str(folder), str(iterations), str(save_every)]


def run(folder: Path, iterations: int) -> None:
    subprocess.run(command(folder, iterations), cwd=REPOSITORY, check=True, timeout=120)


def outcome(folder: Path) -> tuple[dict, list[dict]]:
    """Everything in the last checkpoint, flat, and all metrics but times."""
    opened = RunFolder.open(folder)
    state = opened.checkpoints.newest()
    assert state is not None
    flat: dict = {}

    def walk(value: object, where: str) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                walk(item, f"{where}/{key}")
        else:
            flat[where] = value

    walk(state, "")
    metrics = [
        {key: value for key, value in line.items() if not key.startswith(("seconds", "samples"))}
        for line in opened.metrics()
    ]
    return flat, metrics


def assert_equal(left: Path, right: Path, iterations: int = 20) -> None:
    (state, metrics), (other_state, other_metrics) = outcome(left), outcome(right)
    assert state.keys() == other_state.keys()
    assert sum(isinstance(value, torch.Tensor) for value in state.values()) > 40
    for name, value in state.items():
        same = torch.equal(value, other_state[name]) if isinstance(value, torch.Tensor) else value == other_state[name]
        assert same, name
    assert [line["iteration"] for line in metrics] == list(range(1, iterations + 1))
    assert metrics == other_metrics


@pytest.fixture
def one_thread() -> Iterator[None]:
    """How sums are split among threads decides the last bit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted") / "run"
    run(folder, 20)
    return folder


def test_one_seed_gives_one_run(uninterrupted: Path, tmp_path: Path, one_thread: None) -> None:
    torch.manual_seed(1234)  # the global stream must not matter
    folder = RunFolder.create(tmp_path / "again", PointMassConfig())
    train(PointMassTrainer(PointMassConfig()), folder, 20, save_every=7, progress=False)
    assert_equal(uninterrupted, tmp_path / "again")


def test_resuming_in_a_new_process_changes_nothing(uninterrupted: Path, tmp_path: Path) -> None:
    run(tmp_path / "run", 10)
    run(tmp_path / "run", 20)
    assert_equal(uninterrupted, tmp_path / "run")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_goes_on_after_a_signal(uninterrupted: Path, tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "run"
    # Far more iterations than wanted, so that it is certainly still at work when the signal comes.
    process = subprocess.Popen(command(folder, 100_000), cwd=REPOSITORY)
    metrics = folder / "metrics.jsonl"
    deadline = time.monotonic() + 60
    while not metrics.exists() or metrics.read_text().count("\n") < 7:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(number)
    code = process.wait(timeout=60)
    done = len(RunFolder.open(folder).metrics())
    saved = RunFolder.open(folder).checkpoints.iterations()[-1]
    if done > 20:
        pytest.skip("the machine was too slow to send the signal in time")
    if number == signal.SIGTERM:
        assert (code, saved) == (0, done)  # it saved and left in good order
    else:
        assert code == -signal.SIGKILL and saved == done // 5 * 5
        with metrics.open("a") as file:
            file.write('{"iteration": 8, "rew')  # as if it had been killed while writing
    run(folder, 20)
    assert_equal(uninterrupted, folder)


@pytest.mark.parametrize("bf16", [False, True])
def test_ppo_learns(bf16: bool, one_thread: None) -> None:
    trainer = PointMassTrainer(PointMassConfig(seed=3, bf16=bf16))
    history = [trainer.iterate()[1] for _ in range(60)]
    first = sum(metrics["reward"] for metrics in history[:5]) / 5
    last = sum(metrics["reward"] for metrics in history[-5:]) / 5
    assert first < 0.25
    assert last > 0.6
    assert history[-1]["ppo/explained_variance"] > 0.5


def test_a_changed_setting_is_named(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", PointMassConfig(worlds=32))
    train(PointMassTrainer(PointMassConfig(worlds=32)), folder, 1, progress=False)
    text = (tmp_path / "run" / "config.yaml").read_text()
    (tmp_path / "run" / "config.yaml").write_text(text.replace("clip: 0.2", "clip: 0.3"))
    changed = RunFolder.open(tmp_path / "run")
    with pytest.raises(CheckpointError, match=r"ppo\.clip was 0\.2 and is 0\.3"):
        changed.start(PointMassTrainer(changed.config_as(PointMassConfig)).parts)


def test_nan_stops_training_and_is_named(tmp_path: Path) -> None:
    trainer = PointMassTrainer(PointMassConfig())
    trainer.environment.velocity[3] = torch.nan
    with pytest.raises(LearningError, match=r"rollout observation: \d+ of \d+ numbers"):
        train(trainer, RunFolder.create(tmp_path, {}), 3, progress=False)
    assert not (tmp_path / "checkpoints").exists()


def test_two_ranks_resume_from_the_iteration_both_have(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    def start(iterations: int) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}  # as torchrun sets them
        ranks = [
            subprocess.Popen(
                command(folder, iterations, 2),
                cwd=REPOSITORY,
                env=os.environ | shared | {"RANK": rank, "LOCAL_RANK": rank},
            )
            for rank in ("0", "1")
        ]
        try:
            assert [process.wait(timeout=90) for process in ranks] == [0, 0]
        finally:
            for process in ranks:
                process.kill()

    start(4)
    checkpoints = folder / "checkpoints"
    assert sorted(path.name for path in checkpoints.iterdir()) == [
        "00000002.rank-1.safetensors",
        "00000002.safetensors",
        "00000004.rank-1.safetensors",
        "00000004.safetensors",
    ]
    (checkpoints / "00000004.rank-1.safetensors").unlink()  # rank 1 died before it had saved
    before = RunFolder.open(folder).metrics()
    start(4)
    after = RunFolder.open(folder).metrics()
    assert [line["reward"] for line in after] == [line["reward"] for line in before]
    ours, theirs = (read_state(checkpoints / f"00000004{end}.safetensors")["parts"] for end in ("", ".rank-1"))
    for name, tensor in ours["model"].items():
        assert torch.equal(tensor, theirs["model"][name]), name
    assert not torch.equal(ours["environment"]["position"], theirs["environment"]["position"])
