"""What sentences claim: facts, and names of motions, as rows of ones and zeros and as points of the towers' space.

A caption is written from facts, so what it claims is known exactly. ``ClaimTower`` has a direction for every claim; a
sentence lies where the sum of its claims points. States learn from claims before there is any reading, and sentences
are then told where they belong.
"""

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import normalize

from anyskill.vision_language.bodyclip.phrases import phrase_book

_LABEL = "label: "  # as in ``Caption.key``


class Claims:
    """All that can be claimed, in columns: the facts of the phrase book, then labels.

    Args:
        labels: What motions are called.
    """

    def __init__(self, labels: Iterable[str]) -> None:
        names = (*phrase_book(), *(_LABEL + label for label in sorted(set(labels))))
        self._columns = {name: column for column, name in enumerate(names)}

    def __len__(self) -> int:
        return len(self._columns)

    def rows(self, keys: Sequence[Iterable[str]]) -> Float[Tensor, "key claim"]:
        """Keys of captions, a row each, with a one for every claim."""
        rows = torch.zeros(len(keys), len(self))
        places = [(row, self._columns[name]) for row, key in enumerate(keys) for name in key]
        rows[tuple(torch.tensor(places, dtype=torch.long).view(-1, 2).T)] = 1.0
        return rows

    def sentences(self) -> dict[str, int]:
        """Everything that can be said alone, every wording of every fact and every label, and its column."""
        said = {
            text: self._columns[fact]
            for fact, phrases in phrase_book().items()
            if "thing" not in phrases.parts
            for text in phrases.plain
        }
        return said | {name.removeprefix(_LABEL): column for name, column in self._columns.items() if _LABEL in name}

    def suits(self, keys: Sequence[Iterable[str]], labels: Sequence[Iterable[str]]) -> Bool[Tensor, "state key"]:
        """Whether the label of a key, if it has one, is among those of a state."""
        facts = len(phrase_book())
        own = self.rows([[_LABEL + label for label in called] for called in labels])[:, facts:]
        wanted = self.rows(keys)[:, facts:]
        return own @ wanted.T >= wanted.sum(1)


class ClaimTower(nn.Module):
    """Claims → the unit-length feature of a sentence that makes them.

    Args:
        claims: How many there are.
        dimension: Of a feature.
        generator: Where initial weights come from; a stream of the CPU.
    """

    def __init__(self, claims: int, dimension: int, generator: torch.Generator) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(claims, dimension, generator=generator) / dimension**0.5)

    def forward(self, rows: Float[Tensor, "key claim"]) -> Float[Tensor, "key d"]:
        """Features of rows of ``Claims``."""
        return normalize(rows @ self.directions, dim=-1)

    def alone(self, columns: Int[Tensor, "n"]) -> Float[Tensor, "n d"]:
        """Features of single claims."""
        return normalize(self.directions[columns], dim=-1)
