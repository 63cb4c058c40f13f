"""One seed, many random streams: each use of chance has its own, by name, so that none disturbs another."""

import hashlib

import torch
from torch import Tensor


class Streams:
    """Named generators that all follow from one seed.

    ``streams("actions")`` is the same object whenever it is asked for, and its numbers depend on the seed, the rank
    and the name alone. Two runs with one seed on a CPU are equal bit for bit.

    Args:
        seed: Any whole number.
        device: Where generators live unless told otherwise.
        rank: Of this process among several: each explores on its own.
    """

    def __init__(self, seed: int, device: torch.device | str = "cpu", rank: int = 0) -> None:
        self.seed, self.device, self.rank = seed, torch.device(device), rank
        self._generators: dict[str, torch.Generator] = {}
        self._restored: dict[str, Tensor] = {}

    def __call__(self, name: str, device: torch.device | str | None = None) -> torch.Generator:
        """The stream of a name; the first call decides on its device."""
        if name not in self._generators:
            generator = torch.Generator(device or self.device)
            digest = hashlib.sha256(f"{self.seed}/{self.rank}/{name}".encode()).digest()
            generator.manual_seed(int.from_bytes(digest[:8], "big") >> 1)
            if name in self._restored:
                generator.set_state(self._restored.pop(name))
            self._generators[name] = generator
        return self._generators[name]

    def state_dict(self) -> dict[str, Tensor]:
        """How far each stream has come."""
        return self._restored | {name: generator.get_state() for name, generator in self._generators.items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from a state; streams not asked for yet take theirs when they are."""
        self._restored = dict(state)
        for name, generator in self._generators.items():
            if name in self._restored:
                generator.set_state(self._restored.pop(name))
