"""Run folders: all there is to know about a run, in files that other programs read.

``config.yaml`` (settings), ``metrics.jsonl`` (one line an iteration), ``tensorboard/`` (the same for TensorBoard),
``checkpoints/``.
"""

import importlib
import json
import math
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from anyskill.files import write_atomically
from anyskill.learning import distributed
from anyskill.learning.checkpoint import Checkpoints
from anyskill.learning.config import from_plain, to_plain
from anyskill.learning.errors import CheckpointError, LearningError
from anyskill.learning.state import Stateful

T = TypeVar("T")


class RunFolder:
    """One run on disk. Make it with ``create``, or ``open`` it to go on or to look at it.

    In a distributed run, rank 0 alone writes settings and metrics.
    """

    def __init__(self, path: Path, config: Mapping[str, Any], *, keep: int | None = 3) -> None:
        self.path, self.config = path, config
        self.checkpoints = Checkpoints(path / "checkpoints", keep=keep, config=config)
        self._trackers: list[Any] = []

    @classmethod
    def create(cls, path: Path, config: object, *, keep: int | None = 3) -> "RunFolder":
        """A new folder for a run with these settings (a dataclass or nested dictionary).

        Raises:
            CheckpointError: There is a run already.
        """
        file = path / "config.yaml"
        if distributed.rank() == 0:
            if file.exists():
                raise CheckpointError(f"{path} already holds a run; resume it or choose another folder.")
            with write_atomically(file) as stream:
                stream.write(yaml.safe_dump(to_plain(config), sort_keys=False, allow_unicode=True).encode())
        return cls(path, to_plain(config), keep=keep)

    @classmethod
    def open(cls, path: Path, *, keep: int | None = 3) -> "RunFolder":
        """A run that exists.

        Raises:
            CheckpointError: There is none, or its settings cannot be read.
        """
        file = path / "config.yaml"
        try:
            config = yaml.safe_load(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise CheckpointError(f"{path} holds no run: there is no config.yaml.") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise CheckpointError(f"{file} is not valid YAML ({error}).") from None
        if not isinstance(config, dict):
            raise CheckpointError(f"{file} holds no settings; it must be a mapping.")
        return cls(path, config, keep=keep)

    def config_as(self, kind: type[T]) -> T:
        """The settings as the dataclass they were.

        Raises:
            LearningError: A setting is unknown or has a wrong value.
        """
        return from_plain(kind, self.config)

    def start(self, parts: Mapping[str, Stateful], *, track: str | None = None) -> int:
        """Bring all parts to where the run stopped and the metrics back to that point.

        Args:
            parts: Everything that has a state.
            track: Also send metrics to this project of Weights & Biases.

        Returns:
            Iterations done so far.
        """
        done = self.checkpoints.restore(parts)
        if distributed.rank() == 0:
            _cut(self.path / "metrics.jsonl", done)
            self._trackers = [_TensorBoard(self.path / "tensorboard", done)]
            if track is not None:
                self._trackers.append(_WeightsAndBiases(track, self.path, self.config))
        return done

    def log(self, iteration: int, metrics: Mapping[str, float]) -> None:
        """Append one iteration's metrics everywhere."""
        if distributed.rank() != 0:
            return
        # JSON knows no NaN: a mean over nothing is null.
        numbers = {name: value if math.isfinite(value) else None for name, value in metrics.items()}
        with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"iteration": iteration, **numbers}) + "\n")
        for tracker in self._trackers:
            tracker.log(iteration, metrics)

    def metrics(self) -> list[dict[str, float]]:
        """All lines of ``metrics.jsonl`` that are whole, in order."""
        return _read_lines(self.path / "metrics.jsonl")

    def close(self) -> None:
        """Flush what is still on its way."""
        for tracker in self._trackers:
            tracker.close()
        self._trackers = []


def _read_lines(path: Path) -> list[dict[str, float]]:
    lines = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else ():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:  # torn by a crash in the middle of writing
            continue
        if isinstance(entry, dict) and "iteration" in entry:
            lines.append(entry)
    return lines


def _cut(path: Path, done: int) -> None:
    """Drop torn lines and those of iterations that will be done again."""
    if path.exists():
        kept = [line for line in _read_lines(path) if line["iteration"] <= done]
        with write_atomically(path) as file:
            file.write("".join(json.dumps(line) + "\n" for line in kept).encode())


class _TensorBoard:
    """Event files; entries after the point a run goes on from are hidden (``purge_step``)."""

    def __init__(self, folder: Path, done: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # takes a second to import

        self._writer = SummaryWriter(str(folder), purge_step=done + 1)

    def log(self, iteration: int, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            self._writer.add_scalar(name, value, iteration)

    def close(self) -> None:
        self._writer.close()


class _WeightsAndBiases:
    """Metrics in a project of Weights & Biases; the run is named after its folder and goes on when resumed."""

    def __init__(self, project: str, path: Path, config: Mapping[str, Any]) -> None:
        try:
            wandb = importlib.import_module("wandb")
        except ImportError:
            raise LearningError(
                "tracking needs Weights & Biases; install it with: pip install 'anyskill[track]'"
            ) from None
        identity = path / "wandb-id"
        if not identity.exists():
            identity.write_text(secrets.token_hex(8), encoding="utf-8")
        self._run = wandb.init(
            project=project,
            name=path.name,
            id=identity.read_text(encoding="utf-8"),
            resume="allow",
            dir=str(path),
            config=dict(config),
        )

    def log(self, iteration: int, metrics: Mapping[str, float]) -> None:
        self._run.log(dict(metrics), step=iteration)

    def close(self) -> None:
        self._run.finish()
