"""The flight recorder: the last second of every world, so that one that blows up can be looked at."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill.body.humanoid import CHARACTERS, Character
from anyskill.body.model import Physics
from anyskill.files import write_atomically
from anyskill.sim.errors import SimulationError

STEPS = 30  # control steps kept: one second
MAX_SPEED = 300.0  # m/s or rad/s; a body driven by these motors stays far below


class FlightRecorder:
    """The judge of whether a world is still sane, and a ring of the last states and targets.

    Judging never waits for the device; looking up which worlds were lost does, and may be done once in a while.

    Args:
        num_worlds: Number of worlds.
        sizes: Lengths of qpos, qvel and of the targets.
        character: Who is simulated; a dump names it.
        physics: How; a dump holds it.
        device: Where the tensors are.
        folder: Where dumps go; with None nothing is kept.
        period: Control steps between two looks for lost worlds to dump.
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
        period: int = 1,
        limit: int = 5,
    ) -> None:
        self.folder, self.limit, self.dumped = folder, limit, 0
        self._character, self._physics, self._sizes = character, physics, sizes
        self._period = period
        if folder is not None:
            self._ring = torch.zeros(STEPS + period - 1, num_worlds, sum(sizes), device=device)
            self._age = torch.zeros(num_worlds, dtype=torch.long, device=device)  # steps since the last reset
            self._lost_at = torch.full_like(self._age, -1)  # step of a loss not yet dumped
            self._lost_age = torch.zeros_like(self._age)
            self._now = 0

    def restart(self, worlds: Int[Tensor, "n"]) -> None:
        """Forget the past of worlds that were put somewhere else."""
        if self.folder is not None:
            self._age.index_fill_(0, worlds, 0)

    def record(
        self,
        qpos: Float[Tensor, "world nq"],
        qvel: Float[Tensor, "world nv"],
        targets: Float[Tensor, "world dof"],
    ) -> Bool[Tensor, "world"]:
        """Keep one control step (the state after it and the targets that led there); return the worlds gone wrong."""
        # NaN fails the comparisons, too. C MuJoCo takes bad targets for zeros, which must not pass unnoticed.
        lost = ~((qvel.abs().amax(-1) < MAX_SPEED) & (targets.abs().amax(-1) < torch.inf))
        if self.folder is not None and self.dumped < self.limit:
            torch.cat((qpos, qvel, targets), -1, out=self._ring[self._now % len(self._ring)])
            self._age += 1
            self._lost_at.masked_fill_(lost, self._now)
            torch.where(lost, self._age, self._lost_age, out=self._lost_age)
            self._age.masked_fill_(lost, 0)
            self._now += 1
            if self._now % self._period == 0:
                self._dump(self.folder)
        return lost

    def _dump(self, folder: Path) -> None:
        """Write what the ring holds of the worlds lost since the last look."""
        nq, nv, _ = self._sizes
        for world in (self._lost_at >= 0).nonzero()[: self.limit - self.dumped, 0].tolist():
            last, length = int(self._lost_at[world]), min(int(self._lost_age[world]), STEPS)
            order = [step % len(self._ring) for step in range(last - length + 1, last + 1)]
            parts = self._ring[order, world].cpu().numpy()
            with write_atomically(folder / f"blown-up-{self.dumped:03d}-world-{world}.npz") as file:
                np.savez_compressed(
                    file,
                    character=self._character.name,
                    qpos=parts[:, :nq],
                    qvel=parts[:, nq : nq + nv],
                    targets=parts[:, nq + nv :],
                    **{f"physics_{key}": value for key, value in asdict(self._physics).items()},
                )
            self.dumped += 1
        self._lost_at.fill_(-1)


@dataclass(frozen=True)
class Flight:
    """The last second of a world that blew up, oldest step first."""

    character: Character
    physics: Physics
    qpos: Float[Tensor, "step nq"]  # after each control step; objects follow the character
    qvel: Float[Tensor, "step nv"]
    targets: Float[Tensor, "step dof"]  # rad, that led there


def load_flight(path: Path) -> Flight:
    """Read a dump.

    Raises:
        SimulationError: The file is missing or not a dump.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return Flight(
                CHARACTERS[str(file["character"])],
                Physics(**{field.name: file[f"physics_{field.name}"].item() for field in fields(Physics)}),
                *(torch.from_numpy(file[key]).float() for key in ("qpos", "qvel", "targets")),
            )
    except FileNotFoundError:
        raise SimulationError(f"{path}: there is no such file.") from None
    except Exception:  # a zip or npy error of any kind: the file is not ours
        raise SimulationError(
            f"{path} is not a recording of a world that blew up; those are called blown-up-….npz."
        ) from None
