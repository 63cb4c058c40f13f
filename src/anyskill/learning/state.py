"""State files: nested dictionaries in one safetensors file that is written in one go and knows its own hash.

Tensors are stored as tensors, everything else as JSON beside them. Reading one runs no code.
"""

import hashlib
import json
import operator
from pathlib import Path
from typing import Any, Protocol

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from anyskill.files import write_atomically
from anyskill.learning.errors import CheckpointError, DamagedFileError

State = dict[str, Any]
"""Nested dictionaries with string keys of tensors, numbers, strings, booleans, None, and lists of such plain values."""

_RECORD = "anyskill"  # one entry: the format does not keep several in order, and equal states shall be equal files


class Stateful(Protocol):
    """What can be saved and go on exactly where it was: modules, optimisers, random streams, buffers, environments."""

    def state_dict(self) -> State:
        """All that is needed to go on."""

    def load_state_dict(self, state: Any, /) -> object:
        """Take over a state; raises ``LearningError``, or what a module would raise, if it does not fit."""


def write_state(path: Path, state: State) -> None:
    """Write a state file; whoever reads ``path`` meanwhile sees the old file or the new one.

    Raises:
        CheckpointError: The state holds something that is neither a tensor nor plain; its place in it is named.
    """
    tensors: dict[str, Tensor] = {}
    plain = _without_tensors(state, "", tensors)
    record = json.dumps({"sha256": _digest(plain, tensors), "state": plain})
    with write_atomically(path) as file:
        file.write(safetensors.torch.save(tensors, {_RECORD: record}))


def read_state(path: Path) -> State:
    """Read a state file; tensors arrive on the CPU.

    Raises:
        DamagedFileError: The file is cut short, altered, or no safetensors file.
        CheckpointError: It cannot be read at all, or was not written by ``write_state``.
    """
    try:
        with safe_open(path, framework="pt") as file:
            record = (file.metadata() or {}).get(_RECORD)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dictionary
    except FileNotFoundError:
        raise CheckpointError(f"{path}: there is no such file.") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error}).") from None
    except SafetensorError as error:
        raise DamagedFileError(f"{path} is damaged or no state file ({error}).") from None
    if record is None:
        raise CheckpointError(f"{path} holds tensors but no state; it was not written by this program.")
    try:
        digest, state = operator.itemgetter("sha256", "state")(json.loads(record))
        intact = digest == _digest(state, tensors)
    except (ValueError, KeyError, TypeError):
        intact = False
    if not intact:
        raise DamagedFileError(f"{path} is damaged: its content does not match its hash.")
    for name, tensor in tensors.items():
        *folders, last = name.split("/")
        place = state
        for folder in folders:
            place = place[folder]
        place[last] = tensor
    return state


def halved(state: dict[str, Tensor]) -> State:
    """A module's state with its float32 tensors in half precision; statistics, in float64, stay exact."""
    return {name: tensor.half() if tensor.dtype == torch.float32 else tensor for name, tensor in state.items()}


def _without_tensors(value: Any, where: str, tensors: dict[str, Tensor]) -> Any:
    """The plain part of a state; tensors go to ``tensors`` under their place in it."""
    if isinstance(value, dict):
        plain = {}
        for key, item in value.items():
            if not isinstance(key, str) or "/" in key:
                raise CheckpointError(f"state key {where}{key!r} cannot be saved; keys are strings without a slash.")
            if isinstance(item, Tensor):
                # A copy: views of one storage, such as columns of a simulator's arrays, may not be saved as they are.
                tensors[where + key] = item.detach().to("cpu", copy=True).contiguous()
            else:
                plain[key] = _without_tensors(item, f"{where}{key}/", tensors)
        return plain
    if isinstance(value, list | tuple):
        return [_without_tensors(item, f"{where}{number}/", tensors) for number, item in enumerate(value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise CheckpointError(
        f"state {where[:-1]} is a {type(value).__name__}; only plain values, and tensors in dictionaries, can be saved."
    )


def _digest(plain: State, tensors: dict[str, Tensor]) -> str:
    """SHA-256 over everything in a file."""
    digest = hashlib.sha256(json.dumps(plain).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
