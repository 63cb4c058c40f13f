"""Charts: well-formed, and what is drawn is where it belongs."""

from xml.etree import ElementTree

import pytest

from anyskill.figures import HEIGHT, WIDTH, _ticks, bar_chart, line_chart, named_bars, points


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.0, 47.3, [0, 10, 20, 30, 40, 50]),
        (-0.013, 0.02, [-0.02, -0.01, 0.0, 0.01, 0.02]),
        (3.0, 3.0, [3, 4, 5, 6]),
    ],
)
def test_axes_have_few_round_numbers_that_hold_the_data(low: float, high: float, ticks: list[float]) -> None:
    result = _ticks(low, high)
    assert result[0] <= low and result[-1] >= high
    assert 4 <= len(result) <= 7
    if low != high:
        assert result == pytest.approx(ticks)


def test_a_curve_runs_from_corner_to_corner() -> None:
    chart = ElementTree.fromstring(
        line_chart(
            {"a < b": [(0, 0), (5, 1)], "c": [(0, 1), (5, 1)]}, "x & y", "s", y_range=(0, 1), percent=True, limit=0.9
        )
    )
    first, second = (
        [float(n) for pair in line.get("points").split() for n in pair.split(",")] for line in chart.findall("polyline")
    )
    assert first[0] < 60 and first[2] > WIDTH - 20
    names = [name.text for name in chart.iter("tspan")]
    assert names == ["a < b", "c"]
    assert first[1] > HEIGHT - 40 and first[3] < 40
    assert second[1] == second[3] == first[3]
    texts = [text.text for text in chart.findall("text")]
    assert {"0 %", "100 %", "s"} <= set(texts)
    limit = next(line for line in chart.findall("line") if line.get("class") == "limit")
    assert float(limit.get("y1")) == pytest.approx(first[1] + 0.9 * (first[3] - first[1]), abs=0.2)


def test_bars_above_the_limit_stand_out() -> None:
    chart = ElementTree.fromstring(bar_chart({"low": 3.0, "<high>": 20.0}, "errors", "clips", limit=12.0))
    low, high = chart.findall("rect")
    assert (low.get("class"), high.get("class")) == ("fine", "over")
    assert float(high.get("height")) == pytest.approx(float(low.get("height")) * 20 / 3, rel=0.02)
    assert high.find("title").text == "<high>: 20"


def test_a_metric_is_thinned_to_means_of_neighbours() -> None:
    metrics = [{"iteration": i, "reward": float(i), "rare": 1.0 if i == 50 else None} for i in range(1, 1001)]
    line = points(metrics, "reward")
    assert len(line) == 200
    assert line[0] == (5.0, 3.0) and line[-1] == (1000.0, 998.0)
    assert points(metrics, "rare") == [(50.0, 1.0)]
    assert points(metrics, "unheard of") == points([], "reward") == []


def test_named_bars_start_at_zero_on_either_side() -> None:
    values = {"a < b": -0.1, "none": 0.0, "best": 0.4}
    chart = ElementTree.fromstring(named_bars(values, "similarity", "{:.1f}".format, strong="best"))
    below, nothing, above = chart.findall("rect")
    zero = float(chart.find("line").get("x1"))
    assert float(below.get("x")) + float(below.get("width")) == pytest.approx(zero, abs=0.2)
    assert float(above.get("x")) == pytest.approx(zero, abs=0.1)
    assert float(above.get("width")) == pytest.approx(4 * float(below.get("width")), rel=0.01)
    assert float(nothing.get("width")) == 0.0
    assert [bar.get("class") for bar in (below, nothing, above)] == ["plain", "plain", "strong"]
    assert [text.text for text in chart.findall("text")] == ["a < b", "-0.1", "none", "0.0", "best", "0.4"]
    assert 'width="0.0"' in named_bars({"all": 0.0}, "nothing")
