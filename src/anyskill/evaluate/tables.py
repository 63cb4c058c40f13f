"""Tables of ablations: which variants stand beside each other, and what is known of them so far."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from anyskill.evaluate.ablations import Case, Result, Results
from anyskill.evaluate.estimates import Estimate, estimate, ratio
from anyskill.evaluate.suite import Sentence

Sentences = tuple[Sentence, ...]

SHARE, DIFFERENCE, CLIP_S = (0.0, 1.0), (-1.0, 1.0), (-100.0, 100.0)  # where each, and its interval, can be


@dataclass(frozen=True)
class Row:
    """A variant on some sentences."""

    variant: str
    sentences: Sentences
    label: str = ""
    """What the table calls it; without, the variant's name."""
    paper: tuple[float, float] | None = None
    """Success (0 to 10, from its user study) and CLIP-S that the paper reports."""

    @property
    def name(self) -> str:
        """In the first column."""
        return self.label or self.variant


@dataclass(frozen=True)
class Table:
    """Rows that belong together; differences are to the first one."""

    title: str
    rows: tuple[Row, ...]
    note: str = ""
    """What a reader has to know beside the figures."""
    relative: bool = False
    """Whether there is a column of success as a share of the first row's."""


@dataclass(frozen=True)
class Figures:
    """What is known of a row."""

    runs: int
    wanted: int
    success: Estimate
    fall: Estimate
    clip_s: Estimate | None
    clip_s_heldout: Estimate | None
    seconds: float
    """Mean of a run."""
    difference: Estimate | None
    """Of success to the first row, on the sentences and seeds both have."""
    relative: Estimate | None
    """Success as a share of the first row's, on the sentences both have."""


def in_order(tables: Sequence[Table], seeds: Sequence[int]) -> list[Case]:
    """Every case of some tables once: all variants of a sentence, all sentences of a seed, then the next seed.

    Whenever a run is stopped, variants have thus been tried on the same sentences, but for the last one.
    """
    asked: dict[tuple[str, str], list[Case]] = {}
    for table in tables:
        for row in table.rows:
            for case in (Case(row.variant, sentence, 0) for sentence in row.sentences):
                same = asked.setdefault((case.sentence.text, case.sentence.fixed), [])
                if case not in same:
                    same.append(case)
    return [replace(case, seed=seed) for seed in seeds for same in asked.values() for case in same]


def figures(table: Table, row: Row, results: Results, seeds: Sequence[int]) -> Figures | None:
    """What is known of a row; None where there is no result yet."""
    known, first = _known(row, results, seeds), _known(table.rows[0], results, seeds)
    if not known:
        return None
    success = _by_sentence(known, _success)
    other = row is not table.rows[0]
    return Figures(
        runs=len(known),
        wanted=len(row.sentences) * len(seeds),
        success=estimate(success, SHARE),
        fall=estimate(_by_sentence(known, lambda result: result.fall), SHARE),
        clip_s=_estimate(_by_sentence(known, lambda result: result.clip_s), CLIP_S),
        clip_s_heldout=_estimate(_by_sentence(known, lambda result: result.clip_s_heldout), CLIP_S),
        seconds=fmean(result.seconds for result in known),
        difference=_difference(known, first) if other else None,
        relative=ratio(success, _by_sentence(first, _success)) if other else None,
    )


def successes(row: Row, results: Results, seeds: Sequence[int]) -> dict[str, list[float]]:
    """Success of each run that is known, by sentence, in the order of the seeds."""
    return _by_sentence(_known(row, results, seeds), _success)


def _success(result: Result) -> float:
    return result.success


def _estimate(values: Mapping[str, Sequence[float]], within: tuple[float, float]) -> Estimate | None:
    return estimate(values, within) if values else None


def _difference(known: Sequence[Result], others: Sequence[Result]) -> Estimate | None:
    """Of success, over sentences and seeds that both have."""
    other = {(result.text, result.seed): result.success for result in others}
    pairs = [result for result in known if (result.text, result.seed) in other]
    values = _by_sentence(pairs, lambda result: result.success - other[result.text, result.seed])
    return _estimate(values, DIFFERENCE)


def _known(row: Row, results: Results, seeds: Sequence[int]) -> list[Result]:
    cases = (Case(row.variant, sentence, seed) for seed in seeds for sentence in row.sentences)
    return [results[case] for case in cases if case in results]


def _by_sentence(results: Iterable[Result], figure: Callable[[Result], float | None]) -> dict[str, list[float]]:
    """A figure of each run, by sentence; runs that do not have it are left out."""
    taken: dict[str, list[float]] = {}
    for result in results:
        value = figure(result)
        if value is not None:
            taken.setdefault(result.text, []).append(value)
    return taken
