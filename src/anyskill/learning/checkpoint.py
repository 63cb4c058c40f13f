"""Checkpoints: everything a run needs to go on exactly where it was, a few of them, each whole or not there at all."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anyskill.learning import distributed
from anyskill.learning.config import to_plain
from anyskill.learning.errors import CheckpointError, DamagedFileError, LearningError
from anyskill.learning.state import State, Stateful, read_state, write_state

_log = logging.getLogger(__name__)


class Checkpoints:
    """The folder of a run's checkpoints, ``00000050.safetensors`` after iteration 50.

    A file that turns out damaged is renamed (``….damaged``) and the one before it is used. In a distributed run every
    rank has files of its own (its worlds, its random streams), and all go on from the same iteration.

    Args:
        folder: Where they are; made when first needed.
        keep: So many of the newest stay; None keeps all.
        config: What has to be the same when the run goes on: a dataclass or nested dictionary.
    """

    def __init__(self, folder: Path, *, keep: int | None = 3, config: object = None) -> None:
        if keep is not None and keep < 1:
            raise LearningError(f"keep is {keep}; at least one checkpoint must stay.")
        self.folder, self.keep = folder, keep
        self._config = json.loads(json.dumps(to_plain(config or {})))
        rank = distributed.rank()
        self._suffix = f".rank-{rank}.safetensors" if rank else ".safetensors"

    def path(self, iteration: int) -> Path:
        """Of the checkpoint after an iteration."""
        return self.folder / f"{iteration:08d}{self._suffix}"

    def iterations(self) -> list[int]:
        """Of the checkpoints that are there, oldest first."""
        names = (path.name.removesuffix(self._suffix) for path in self.folder.glob(f"*{self._suffix}"))
        return sorted(int(name) for name in names if name.isdecimal())

    def save(self, iteration: int, parts: Mapping[str, Stateful]) -> Path:
        """Write the state of all parts and remove the oldest checkpoints.

        Later ones, if any, belong to a future that was given up by going on from an earlier iteration: they go too.
        """
        path = self.path(iteration)
        states = {name: part.state_dict() for name, part in parts.items()}
        write_state(path, {"iteration": iteration, "config": self._config, "parts": states})
        earlier = [number for number in self.iterations() if number <= iteration]
        kept = earlier if self.keep is None else earlier[-self.keep :]
        for number in set(self.iterations()) - set(kept):
            self.path(number).unlink(missing_ok=True)
        return path

    def restore(self, parts: Mapping[str, Stateful]) -> int:
        """Put all parts into the state of the newest intact checkpoint.

        Returns:
            Its iteration; 0, and nothing is touched, if there is no checkpoint.

        Raises:
            CheckpointError: All are damaged, the settings have changed, or the parts are not those that were saved.
        """
        state = self.newest()
        if state is None:
            return 0
        path = self.path(state["iteration"])
        changed = differences(state["config"], self._config)
        if changed:
            raise CheckpointError(f"{path} was made with other settings: {'; '.join(changed)}. Start a new run.")
        saved: dict[str, State] = state["parts"]
        if saved.keys() != parts.keys():
            raise CheckpointError(f"{path} holds {', '.join(saved)}, but {', '.join(parts)} are to go on from it.")
        for name, part in parts.items():
            try:
                part.load_state_dict(saved[name])
            except (LearningError, RuntimeError, KeyError, ValueError, TypeError) as error:
                reason = " ".join(str(error).split())
                raise CheckpointError(f"{path}: the state of {name} does not fit ({reason}).") from error
        return state["iteration"]

    def newest(self) -> State | None:
        """The newest intact state that all ranks have: ``iteration``, ``config`` and ``parts``; None if none was saved.

        Raises:
            CheckpointError: There are checkpoints, but none that all ranks can read.
        """
        known = distributed.largest(len(self.iterations()))
        limit = None
        while True:
            state = self._newest_here(limit)
            iteration = state["iteration"] if state else 0
            limit = distributed.smallest(iteration)
            if limit == distributed.largest(iteration):
                break
        if state is None and known:
            raise CheckpointError(
                f"no checkpoint in {self.folder} can be read by every process; put one back, "
                "start as many processes as before, or start a new run."
            )
        return state

    def _newest_here(self, limit: int | None) -> State | None:
        """The newest intact state of this rank, of no later iteration than ``limit``; damaged ones are put aside."""
        for iteration in reversed(self.iterations()):
            if limit is not None and iteration > limit:
                continue
            path = self.path(iteration)
            try:
                return read_state(path)
            except DamagedFileError as error:
                _log.warning("%s It is put aside, and the checkpoint before it is used.", error)
                path.rename(path.with_name(path.name + ".damaged"))
        return None


def differences(old: Any, new: Any, where: str = "") -> list[str]:
    """What differs between two plain values, one sentence a difference."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(old.keys() | new.keys())
        return [line for key in keys for line in differences(old.get(key), new.get(key), f"{where}.{key}")]
    return [] if old == new else [f"{where[1:]} was {old!r} and is {new!r}"]
