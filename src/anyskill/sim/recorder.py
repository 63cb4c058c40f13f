"""The flight recorder: the last second of every world, so that one that blows up can be looked at."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from anyskill.body.humanoid import CHARACTERS, Character
from anyskill.body.model import Physics
from anyskill.files import write_atomically
from anyskill.sim.engine import SimulationError

STEPS = 30  # control steps kept: one second
MAX_SPEED = 300.0  # m/s or rad/s; a body driven by these motors stays far below


class FlightRecorder:
    """A ring of the last states and targets, and the judge of whether a world is still sane.

    Args:
        num_worlds: Number of worlds.
        sizes: Lengths of qpos, qvel and of the targets.
        folder: Where dumps go; None keeps counting but writes none.
        limit: At most so many dumps are written: the first ones tell what the rest would repeat.
    """

    def __init__(
        self,
        num_worlds: int,
        sizes: tuple[int, int, int],
        character: Character,
        physics: Physics,
        device: torch.device,
        folder: Path | None = None,
        limit: int = 5,
    ) -> None:
        self._ring = torch.zeros(STEPS, num_worlds, sum(sizes), device=device)
        self._sizes = sizes
        self._age = torch.zeros(num_worlds, dtype=torch.long, device=device)  # steps since the last reset
        self._now = 0
        self._character, self._physics = character, physics
        self.folder, self.limit, self.dumped = folder, limit, 0

    def restart(self, worlds: Int[Tensor, "n"]) -> None:
        """Forget the past of worlds that were put somewhere else."""
        self._age[worlds] = 0

    def record(
        self,
        qpos: Float[Tensor, "world nq"],
        qvel: Float[Tensor, "world nv"],
        targets: Float[Tensor, "world dof"],
    ) -> Int[Tensor, "n"]:
        """Keep one control step (the state after it and the targets that led there); return the worlds gone wrong."""
        nq, nv, _ = self._sizes
        frame = self._ring[self._now]
        frame[:, :nq], frame[:, nq : nq + nv], frame[:, nq + nv :] = qpos, qvel, targets
        self._now = (self._now + 1) % STEPS
        self._age += 1
        # One reduction: NaN and infinity both fail the comparison.
        sane = frame[:, : nq + nv].abs().amax(-1) < MAX_SPEED
        return (~sane).nonzero()[:, 0]

    def dump(self, worlds: Int[Tensor, "n"]) -> list[Path]:
        """Write what the recorder holds of some worlds, while the limit lasts."""
        if self.folder is None:
            return []
        paths = []
        for world in worlds.tolist()[: max(0, self.limit - self.dumped)]:
            length = min(int(self._age[world]), STEPS)
            order = [(self._now - length + i) % STEPS for i in range(length)]
            parts = self._ring[order, world].cpu().numpy()
            nq, nv, _ = self._sizes
            path = self.folder / f"blown-up-{self.dumped:03d}-world-{world}.npz"
            with write_atomically(path) as file:
                np.savez_compressed(
                    file,
                    character=self._character.name,
                    qpos=parts[:, :nq],
                    qvel=parts[:, nq : nq + nv],
                    targets=parts[:, nq + nv :],
                    **{f"physics_{k}": v for k, v in asdict(self._physics).items()},
                )
            paths.append(path)
            self.dumped += 1
        return paths


def load_flight(path: Path) -> tuple[Character, Float[Tensor, "step nq"], Float[Tensor, "step nv"], Tensor]:
    """Read a dump: the character and its qpos, qvel and targets, oldest first.

    Raises:
        SimulationError: The file is missing or not a dump.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            character = CHARACTERS[str(file["character"])]
            qpos, qvel, targets = (torch.from_numpy(file[key]).float() for key in ("qpos", "qvel", "targets"))
    except FileNotFoundError:
        raise SimulationError(f"{path}: there is no such file.") from None
    except Exception as error:  # a zip or npy error of any kind: the file is not ours
        raise SimulationError(f"{path} is not a recording of a world that blew up ({error}).") from None
    return character, qpos, qvel, targets
