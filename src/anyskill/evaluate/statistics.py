"""How sure one can be of a share."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

Z = 1.959963984540054
"""Of 95 %."""


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Lowest and highest share that fits the outcome: Wilson's 95 % score interval.

    (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n); unlike p ± z√(p(1 − p)/n) it stays within 0 and 1 and does
    not shrink to nothing where all trials went alike. Without any trial, everything is possible.

    Raises:
        ValueError: There are more successes than trials, or fewer than none.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} trials cannot have gone well")
    if trials == 0:
        return 0.0, 1.0
    share, square = successes / trials, Z * Z / trials
    middle = share + square / 2
    width = sqrt(share * (1 - share) * square + square * square / 4)
    return max(0.0, (middle - width) / (1 + square)), min(1.0, (middle + width) / (1 + square))


@dataclass(frozen=True)
class Share:
    """Of episodes that went well, with what it may be in truth."""

    success: float
    low: float
    """Of the 95 % interval."""
    high: float

    @classmethod
    def of(cls, successes: int, trials: int) -> "Share":
        """From counts; see ``wilson``."""
        return cls(successes / max(trials, 1), *wilson(successes, trials))

    @classmethod
    def pooled(cls, shares: Sequence["Share"], trials: int) -> "Share":
        """Over several sentences of as many trials each: the mean, and the interval of all trials together.

        It says how sure the mean is for these very sentences, not for others.
        """
        return cls.of(sum(round(share.success * trials) for share in shares), trials * len(shares))

    def __str__(self) -> str:
        return f"{100 * self.success:.0f} % ({100 * self.low:.0f}–{100 * self.high:.0f})"
