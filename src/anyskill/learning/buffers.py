"""Replay and demonstration buffers: rings of small rows, such as (clip, time) pairs or adversarial frames."""

from typing import Any

import torch
from torch import Tensor

from anyskill.learning.errors import LearningError
from anyskill.learning.rollout import Batch


class RowBuffer:
    """A ring of rows; a row has one entry of every named tensor that is stored.

    Args:
        capacity: Rows held at most.
        keep: Chance of each new row to be kept once more rows than fit were stored (AMP's replay buffer: 0.01), so
            that a full buffer forgets slowly.
        device: Where rows live.
    """

    def __init__(self, capacity: int, keep: float = 1.0, device: torch.device | str = "cpu") -> None:
        if capacity < 1 or not 0 < keep <= 1:
            raise LearningError(f"a buffer of {capacity} rows that keeps {keep} of new ones is of no use.")
        self.capacity, self.keep, self.device = capacity, keep, torch.device(device)
        self.stored = 0  # rows offered so far, kept or not
        self._next = 0
        self._rows: Batch = {}
        self._filled = 0

    def __len__(self) -> int:
        return self._filled

    def store(self, rows: Batch, generator: torch.Generator) -> None:
        """Add rows (n, …); of more than fit, a random choice."""
        count = len(next(iter(rows.values())))
        device = generator.device
        chosen = torch.arange(count, device=device)
        if self.stored > self.capacity and self.keep < 1:
            chosen = chosen[torch.rand(count, generator=generator, device=device) < self.keep]
        if len(chosen) > self.capacity:
            chosen = chosen[torch.randperm(len(chosen), generator=generator, device=device)[: self.capacity]]
        self.stored += count
        places = (self._next + torch.arange(len(chosen), device=self.device)) % self.capacity
        for name, values in rows.items():
            self._ring(name, values)[places] = values[chosen.to(values.device)].to(self.device)
        self._next = (self._next + len(chosen)) % self.capacity
        self._filled = min(self._filled + len(chosen), self.capacity)

    def sample(self, count: int, generator: torch.Generator) -> Batch:
        """Rows (count, …) drawn evenly, with replacement.

        Raises:
            LearningError: Nothing was stored yet.
        """
        if not self._filled:
            raise LearningError("nothing can be drawn from an empty buffer; store rows first.")
        chosen = torch.randint(self._filled, (count,), generator=generator, device=generator.device)
        return {name: values[chosen.to(self.device)] for name, values in self._rows.items()}

    def state_dict(self) -> dict[str, Any]:
        """The rows held and where the ring stands."""
        rows = {name: values[: self._filled] for name, values in self._rows.items()}
        return {"rows": rows, "next": self._next, "stored": self.stored}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Hold exactly what was saved.

        Raises:
            LearningError: The state has more rows than this buffer can hold.
        """
        rows: Batch = state["rows"]
        filled = len(next(iter(rows.values()))) if rows else 0
        if filled > self.capacity or state["next"] >= self.capacity:
            raise LearningError(f"a saved buffer of {filled} rows does not fit into one of {self.capacity}.")
        self._filled, self._next, self.stored = filled, state["next"], state["stored"]
        self._rows = {}
        for name, values in rows.items():
            self._ring(name, values)[:filled] = values.to(self.device)

    def _ring(self, name: str, like: Tensor) -> Tensor:
        """The storage of a name, made when first needed."""
        if name not in self._rows:
            self._rows[name] = torch.zeros((self.capacity, *like.shape[1:]), dtype=like.dtype, device=self.device)
        return self._rows[name]
