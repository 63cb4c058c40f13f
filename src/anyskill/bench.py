"""Benchmarks: cases that rooms contribute, and the one runner that times them.

A room offers its cases from a module ``bench`` with a function ``cases(quick: bool) -> list[Case]``; ``quick`` asks for
small sizes only. A module whose chunks are long says with ``SECONDS`` how many each of its cases may take. A case is a
name, a unit, and a function that does one *chunk* of work and says how much that was::

    def run() -> float:
        for _ in range(10):
            engine.step(targets)
        return 10 * engine.num_worlds * SUBSTEPS

    Case("cpu engine, 1024 worlds", "steps/s", run, reference=plain_mujoco_loop)

The runner holds the clock, and the unit says what is reported:

- ``.../s``: amount of work by seconds (more is better);
- ``s``, ``ms`` or ``µs``: time by amount of work (less is better);
- anything else (``MB``): what ``run`` returned, with no clock and no reference.

A chunk should take between a hundredth of a second and a second, and wait for the device before it returns
(``torch.cuda.synchronize``). What is needed before can be made when ``run`` is first called: that call is a warm-up and
is not counted, unless it alone used up the time of the case. The reference (the same work done in the plain way, or
the least that the hardware must do) returns an amount in the same unit. Its chunks alternate with the measured ones, so
that both meet the same load of a shared machine; medians are compared.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from anyskill.errors import AnyskillError

Chunk = Callable[[], float]
"""Does some work and returns how much."""

_TIMES = {"s": 1.0, "ms": 1e3, "µs": 1e6}
_ENOUGH = 50  # chunks of one case: a median needs no more


class BenchError(AnyskillError):
    """A benchmark cannot be run as asked."""


@dataclass(frozen=True)
class Case:
    """One line of a benchmark; see the module's text for what ``run`` and ``reference`` do."""

    name: str
    unit: str
    run: Chunk
    reference: Chunk | None = None

    def __post_init__(self) -> None:
        if self.reference is not None and not self.timed:
            raise BenchError(f"case {self.name} is in {self.unit}, not a rate or a time, so it takes no reference.")

    @property
    def is_rate(self) -> bool:
        """Whether it reports work by seconds."""
        return self.unit.endswith("/s")

    @property
    def timed(self) -> bool:
        """Whether the clock matters."""
        return self.is_rate or self.unit in _TIMES


@dataclass(frozen=True)
class Result:
    """Medians of one case, in its unit. ``ratio`` is how many times better than the reference: above one is good."""

    case: str
    value: float
    unit: str
    reference: float | None
    ratio: float | None


def run_cases(
    cases: Sequence[Case], seconds: float = 3.0, clock: Callable[[], float] = time.perf_counter
) -> Iterator[Result]:
    """Time cases one after the other.

    Args:
        cases: What to time.
        seconds: About how long one case may take, its reference included; every case runs at least one chunk.
        clock: Seconds since any moment.
    """
    for case in cases:
        chunks = [case.run] if case.reference is None else [case.run, case.reference]
        rounds = _alternate(case, chunks, seconds, clock) if case.timed else [[case.run()]]
        value, *rest = (median(column) for column in zip(*rounds, strict=True))
        reference = rest[0] if rest else None
        ratio = None
        if reference is not None:
            ratio = value / reference if case.is_rate else reference / value
        yield Result(case.name, value, case.unit, reference, ratio)


def _alternate(case: Case, chunks: list[Chunk], seconds: float, clock: Callable[[], float]) -> list[list[float]]:
    """Rounds of one chunk each, as values in the case's unit; the first round is dropped if time is left for others."""
    rounds: list[list[float]] = []
    begin = clock()
    while not rounds or (clock() - begin < seconds and len(rounds) <= _ENOUGH):
        rounds.append([_value(case, chunk, clock) for chunk in chunks])
    return rounds[1:] or rounds


def _value(case: Case, chunk: Chunk, clock: Callable[[], float]) -> float:
    start = clock()
    work = chunk()
    spent = max(clock() - start, 1e-9)
    return work / spent if case.is_rate else spent / work * _TIMES[case.unit]
