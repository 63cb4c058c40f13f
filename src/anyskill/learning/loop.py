"""The loop all training shares: iterate, log, save, and stop when asked to."""

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from rich.console import Console

from anyskill.learning import distributed
from anyskill.learning.errors import LearningError
from anyskill.learning.progress import PhaseTimer, Progress
from anyskill.learning.run_folder import RunFolder
from anyskill.learning.signals import StopRequest
from anyskill.learning.state import Stateful


class Trainer(Protocol):
    """What ``train`` drives."""

    timer: PhaseTimer
    """Books the phases of an iteration."""

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """Everything with a state: networks, optimiser, random streams, buffers, and the environment."""

    def iterate(self) -> tuple[int, dict[str, float]]:
        """One iteration: how many samples it took (on this rank), and its metrics."""


def train(
    trainer: Trainer,
    run: RunFolder,
    iterations: int,
    *,
    save_every: int = 50,
    progress: bool = True,
    track: str | None = None,
    until: Callable[[], bool] | None = None,
    shown: tuple[str, ...] = ("reward", "episode_length"),
) -> int:
    """Train until ``iterations`` are done in all, from wherever the run stopped.

    SIGINT and SIGTERM end it after the iteration at hand, with a checkpoint. Metrics get ``samples_per_second`` and
    ``seconds/…`` of every phase.

    Args:
        trainer: What to train.
        run: Where it is kept.
        iterations: To be done in all, those before a stop included.
        save_every: Iterations from one checkpoint to the next.
        progress: Show how it goes.
        track: Project of Weights & Biases to send metrics to.
        until: Asked after every iteration; training also ends when it says so.
        shown: Metrics worth a place in the progress.

    Returns:
        Iterations done in all; fewer than asked for if the run was told to stop.
    """
    if save_every < 1:
        raise LearningError(f"save_every is {save_every}; it must be at least 1.")
    done = run.start(trainer.parts, track=track)
    console = Console(stderr=True, quiet=not progress or distributed.rank() != 0)
    with (
        contextlib.closing(run),
        StopRequest() as stop,
        Progress(run.path.name, iterations, done, shown, console) as view,
    ):
        while done < iterations:
            start = time.perf_counter()
            samples, metrics = trainer.iterate()
            done += 1
            phases = trainer.timer.take()
            speed = samples * distributed.num_ranks() / (time.perf_counter() - start)
            timing = {"samples_per_second": speed} | {f"seconds/{name}": value for name, value in phases.items()}
            run.log(done, metrics | timing)
            view.update(done, speed, phases, metrics)
            enough = until is not None and until()
            stopping = distributed.largest(int(stop.requested or enough)) == 1
            if stopping or done == iterations or done % save_every == 0:
                run.checkpoints.save(done, trainer.parts)
            if stopping:
                break
    return done
