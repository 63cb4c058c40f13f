"""The benchmark runner: its arithmetic and its order, with a clock that only moves when a chunk works."""

import pytest

from anyskill.bench import BenchError, Case, Chunk, Result, run_cases


class Workshop:
    """A clock, a diary, and chunks that take a given time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.diary: list[str] = []

    def clock(self) -> float:
        return self.now

    def chunk(self, name: str, work: float, *seconds: float) -> Chunk:
        """Takes each of ``seconds`` in turn, then the last one for ever."""
        left = list(seconds)

        def run() -> float:
            self.now += left.pop(0) if len(left) > 1 else left[0]
            self.diary.append(name)
            return work

        return run

    def run(self, case: Case, seconds: float = 10.0) -> Result:
        (result,) = run_cases([case], seconds, self.clock)
        return result


@pytest.fixture
def shop() -> Workshop:
    return Workshop()


def test_a_rate_is_work_by_seconds(shop: Workshop) -> None:
    result = shop.run(Case("steps", "steps/s", shop.chunk("run", 100, 0.5), shop.chunk("ref", 30, 1.0)))
    assert result == Result("steps", pytest.approx(200), "steps/s", pytest.approx(30), pytest.approx(200 / 30))


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 1e3), ("µs", 1e6)])
def test_a_time_is_seconds_by_work(shop: Workshop, unit: str, factor: float) -> None:
    result = shop.run(Case("reset", unit, shop.chunk("run", 4, 0.5), shop.chunk("ref", 1, 0.25)))
    assert result.value == pytest.approx(0.125 * factor)
    assert result.reference == pytest.approx(0.25 * factor)
    assert result.ratio == pytest.approx(2.0)  # half the time is twice as good


def test_a_quantity_is_what_is_returned(shop: Workshop) -> None:
    assert shop.run(Case("memory", "MB", shop.chunk("run", 12.5, 3.0))) == Result("memory", 12.5, "MB", None, None)
    assert shop.diary == ["run"]


def test_medians_without_the_warm_up(shop: Workshop) -> None:
    result = shop.run(Case("a", "s", shop.chunk("run", 1, 5.0, 1.0, 9.0, 2.0)), seconds=17.0)
    assert shop.diary == ["run"] * 4
    assert result.value == pytest.approx(2.0)


def test_chunks_alternate(shop: Workshop) -> None:
    shop.run(Case("a", "s", shop.chunk("run", 1, 1.0), shop.chunk("ref", 1, 1.0)), seconds=6.0)
    assert shop.diary == ["run", "ref"] * 3


def test_a_chunk_longer_than_the_time_counts(shop: Workshop) -> None:
    assert shop.run(Case("a", "s", shop.chunk("run", 1, 60.0))).value == pytest.approx(60.0)
    assert shop.diary == ["run"]


def test_short_chunks_end_some_time(shop: Workshop) -> None:
    shop.run(Case("a", "s", shop.chunk("run", 1, 1e-6)))
    assert len(shop.diary) == 51


def test_a_quantity_has_no_reference(shop: Workshop) -> None:
    with pytest.raises(BenchError, match="case memory is in MB"):
        Case("memory", "MB", shop.chunk("run", 1, 1), shop.chunk("ref", 1, 1))
