"""Benchmark cases of a trainer: its size, how fast it is all in, and where its time goes."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from torch import nn

from anyskill.bench import Case, Chunk
from anyskill.learning.loop import Trainer


def trainer_cases(
    name: str,
    make: Callable[[], Trainer],
    phases: Sequence[str],
    reference: Chunk | None = None,
    *,
    unit: str = "samples/s",
    per_sample: int = 1,
) -> Iterator[Case]:
    """Size and rate of a trainer, and the share of each phase in the seconds of all iterations that were timed.

    Args:
        name: Of the trainer.
        make: Makes it.
        phases: Of its timer, all of them.
        reference: Does the least that is needed, in the same unit.
        unit: Of the rate.
        per_sample: How many of the unit a sample is.
    """
    warm = lru_cache(make)
    seconds: Counter[str] = Counter()

    def size() -> float:
        """Number of weights; on the way everything is made and run once, which must not count below."""
        trainer = warm()
        trainer.iterate()
        trainer.timer.take()
        if reference is not None:
            reference()
        modules = (part for part in trainer.parts.values() if isinstance(part, nn.Module))
        return sum(weights.numel() for module in modules for weights in module.parameters())

    def iterate() -> float:
        samples, _ = warm().iterate()
        seconds.update(warm().timer.take())
        return per_sample * samples

    def share(phase: str) -> Callable[[], float]:
        return lambda: 100 * seconds[phase] / seconds.total()

    yield Case(f"{name}: size", "weights", size)
    yield Case(name, unit, iterate, reference)
    for phase in phases:
        yield Case(f"{name}: {phase}", "% of the time", share(phase))
