"""Charts: well-formed, and what is drawn is where it belongs."""

from xml.etree import ElementTree

import pytest

from anyskill.controller.figures import HEIGHT, WIDTH, _ticks, bar_chart, line_chart


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
    assert first[1] > HEIGHT - 40 and first[3] < 20
    assert second[1] == second[3] == first[3]
    texts = [text.text for text in chart.findall("text")]
    assert {"a < b", "c", "0 %", "100 %", "s"} <= set(texts)
    limit = next(line for line in chart.findall("line") if line.get("class") == "limit")
    assert float(limit.get("y1")) == pytest.approx(first[1] + 0.9 * (first[3] - first[1]), abs=0.2)


def test_bars_above_the_limit_stand_out() -> None:
    chart = ElementTree.fromstring(bar_chart({"low": 3.0, "<high>": 20.0}, "errors", "clips", limit=12.0))
    low, high = chart.findall("rect")
    assert (low.get("class"), high.get("class")) == ("fine", "over")
    assert float(high.get("height")) == pytest.approx(float(low.get("height")) * 20 / 3, rel=0.02)
    assert high.find("title").text == "<high>: 20"
