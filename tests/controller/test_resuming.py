"""CALM from the command line, killed in the middle: what goes on from there equals a run that nobody touched."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from anyskill.learning.run_folder import RunFolder
from anyskill.learning.state import read_state
from tests.controller.made_up import tiny, write_dataset
from tests.controller.test_pretraining import tensors

REPOSITORY = Path(__file__).parents[2]
ITERATIONS = 30


def start(folder: Path, dataset: Path, iterations: int) -> subprocess.Popen[bytes]:
    """``anyskill pretrain`` in a process of its own, with the tiny settings in place of the preset."""
    config = tiny("calm")
    samples = iterations * config.worlds * config.horizon
    arguments = ["pretrain", str(dataset), "--out", str(folder), "--method", "calm", "--samples", str(samples)]
    return subprocess.Popen([sys.executable, "-m", "tests.controller.test_resuming", *arguments], cwd=REPOSITORY)


def last_state(folder: Path) -> dict[str, torch.Tensor]:
    return tensors(read_state(folder / "calm" / "checkpoints" / f"{ITERATIONS:08d}.safetensors"))


def test_a_killed_run_ends_as_if_nothing_had_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYSKILL_CACHE", str(tmp_path / "cache"))
    dataset = write_dataset(tmp_path, little=-0.5, much=-1.5)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = start(killed, dataset, 100_000)  # far more than wanted: it is at work when the signal comes
    checkpoint = killed / "calm" / "checkpoints" / "00000010.safetensors"
    other = start(whole, dataset, ITERATIONS)
    deadline = time.monotonic() + 60
    while not checkpoint.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=60) == -signal.SIGKILL
    assert other.wait(timeout=60) == 0
    saved = RunFolder.open(killed / "calm").checkpoints.iterations()[-1]
    if saved > ITERATIONS - 20:
        pytest.skip("the machine was too slow to send the signal in time")
    assert start(killed, dataset, ITERATIONS).wait(timeout=60) == 0
    once, twice = last_state(whole), last_state(killed)
    assert once.keys() == twice.keys()
    assert len(once) > 60
    assert [name for name in once if not torch.equal(once[name], twice[name])] == []


def main() -> None:
    """The real command line; only the preset is small, and checkpoints come often."""
    from functools import partial

    from anyskill.cli.main import main as command_line
    from anyskill.controller import recipe

    torch.set_num_threads(1)  # how sums are split among threads decides the last bit
    recipe.preset = lambda name, size: tiny(name)
    recipe.train = partial(recipe.train, save_every=10)
    command_line()


if __name__ == "__main__":
    main()
