"""Charts as inline SVG; colours come from the page's style sheet, by class."""

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 440, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 14, 34  # margins

Points = Sequence[tuple[float, float]]


def line_chart(
    lines: Mapping[str, Points],
    label: str,
    x_label: str,
    *,
    y_range: tuple[float, float] | None = None,
    percent: bool = False,
    limit: float | None = None,
) -> str:
    """Curves over a common axis.

    Args:
        lines: Points (x, y) by name; names are written at the top when there are several.
        label: What the chart shows, for those who cannot see it.
        x_label: Under the horizontal axis.
        y_range: Of the vertical axis; None takes that of the points.
        percent: Whether y is a share.
        limit: Where a dashed line is drawn.
    """
    points = [point for line in lines.values() for point in line]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    frame = _Frame((min(xs), max(xs)), y_range or (min(ys), max(ys)))
    parts = [*frame.grid(percent), *frame.horizontal_axis(x_label)]
    if limit is not None:
        parts.append(frame.dashed(limit))
    for number, (name, line) in enumerate(lines.items()):
        path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in line)
        parts.append(f'<polyline class="curve curve-{number}" points="{path}"/>')
        if len(lines) > 1:
            place = f'x="{_LEFT + 8}" y="{HEIGHT - _BOTTOM - 10 - 15 * (len(lines) - 1 - number)}"'
            parts.append(f'<text class="name name-{number}" {place}>{escape(name)}</text>')
    return _svg(label, parts)


def bar_chart(values: Mapping[str, float], label: str, x_label: str, *, limit: float | None = None) -> str:
    """Thin bars in the given order, each with its name when pointed at; those above a limit stand out.

    Args:
        values: By name, not negative.
        label: What the chart shows, for those who cannot see it.
        x_label: Under the horizontal axis.
        limit: Where a dashed line is drawn.
    """
    frame = _Frame((0.0, float(len(values))), (0.0, max(values.values())))
    parts = [*frame.grid(), f'<text class="axis" x="{_LEFT}" y="{HEIGHT - 10}">{escape(x_label)}</text>']
    gap = 0.15 if len(values) < 100 else 0.0
    for number, (name, value) in enumerate(values.items()):
        left, right, top = frame.x(number + gap), frame.x(number + 1 - gap), frame.y(value)
        kind = "over" if limit is not None and value > limit else "fine"
        parts.append(
            f'<rect class="{kind}" x="{left:.2f}" y="{top:.1f}" width="{right - left:.2f}" '
            f'height="{HEIGHT - _BOTTOM - top:.1f}"><title>{escape(name)}: {value:.3g}</title></rect>'
        )
    if limit is not None:
        parts.append(frame.dashed(limit))
    return _svg(label, parts)


class _Frame:
    """From values to places in the picture."""

    def __init__(self, xs: tuple[float, float], ys: tuple[float, float]) -> None:
        self.ticks = _ticks(*ys)
        self.xs, self.ys = xs, (self.ticks[0], self.ticks[-1])

    def x(self, value: float) -> float:
        low, high = self.xs
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (value - low) / ((high - low) or 1.0)

    def y(self, value: float) -> float:
        low, high = self.ys
        share = (min(max(value, low), high) - low) / (high - low)
        return HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * share

    def grid(self, percent: bool = False) -> list[str]:
        parts = []
        for value in self.ticks:
            text = f"{100 * value:.0f} %" if percent else f"{value:.4g}"
            y = self.y(value)
            parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text class="axis" text-anchor="end" x="{_LEFT - 6}" y="{y + 4:.1f}">{text}</text>')
        return parts

    def horizontal_axis(self, label: str) -> list[str]:
        low, high = self.xs
        y, middle = HEIGHT - 10, (_LEFT + WIDTH - _RIGHT) / 2
        return [
            f'<text class="axis" x="{_LEFT}" y="{y}">{low:g}</text>',
            f'<text class="axis" text-anchor="middle" x="{middle}" y="{y}">{escape(label)}</text>',
            f'<text class="axis" text-anchor="end" x="{WIDTH - _RIGHT}" y="{y}">{high:g}</text>',
        ]

    def dashed(self, value: float) -> str:
        y = self.y(value)
        return f'<line class="limit" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _ticks(low: float, high: float) -> list[float]:
    """Four to seven round numbers evenly spaced that hold a range between them."""
    span = (high - low) or max(abs(high), 1.0)
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if span / (factor * power) <= 5)
    first, last = math.floor(low / step + 1e-9), math.ceil((low + span) / step - 1e-9)
    return [step * number for number in range(first, last + 1)]


def _svg(label: str, parts: Sequence[str]) -> str:
    return (
        f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        + "".join(parts)
        + f"<title>{escape(label)}</title></svg>"
    )
