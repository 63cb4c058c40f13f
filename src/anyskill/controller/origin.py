"""What an earlier run has learnt, for another to go on from: its teachers and its controller."""

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Self

import torch
from torch import nn

from anyskill.controller.controller import Controller, ControllerError
from anyskill.controller.export import controller_stage
from anyskill.learning.errors import CheckpointError
from anyskill.learning.state import State, halved, read_state, write_state

TEACHERS = "teachers.safetensors"
STUDENT = "student.safetensors"


@dataclass(frozen=True)
class Origin:
    """Where training starts instead of from nothing."""

    controller: Controller
    teachers: State
    """Of each teacher by the name of its stage, the state of its networks."""

    @classmethod
    def of_run(cls, folder: Path, device: torch.device | str = "cpu") -> Self:
        """From the folder of a run of distil+calm whose student has begun.

        Raises:
            ControllerError: A file is missing, damaged, or holds something else.
        """
        controller = Controller.load(controller_stage(folder) / "controller.safetensors", device)
        return cls(controller, _read(folder / TEACHERS))

    @classmethod
    def packaged(cls, device: torch.device | str = "cpu") -> Self:
        """What comes with this package: a student and its teachers, newer than the controller.

        Raises:
            ControllerError: If this build was made without.
        """
        with as_file(files("anyskill") / "assets") as assets:
            return cls(Controller.load(assets / STUDENT, device), _read(assets / TEACHERS))


def write_teachers(path: Path, **teachers: nn.Module) -> None:
    """Write the networks of teachers, in half precision, by the names of their stages."""
    write_state(path, {name: halved(module.state_dict()) for name, module in teachers.items()})


def _read(path: Path) -> State:
    try:
        return read_state(path)
    except CheckpointError as error:
        raise ControllerError(str(error)) from None
