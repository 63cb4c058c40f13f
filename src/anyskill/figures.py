"""Charts as inline SVG; colours come from the page's style sheet, by class."""

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from statistics import fmean

WIDTH, HEIGHT = 440, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 14, 34  # margins
_NAMES = 18  # height of the line of names above several curves
_POINTS = 200  # of a curve
_ROW, _NAMED, _WRITTEN = 30, 132, 84  # of named bars: a row's height, room for its name and for its value

Points = Sequence[tuple[float, float]]


def points(metrics: Sequence[Mapping[str, float | None]], key: str) -> Points:
    """A metric of a run over its iterations, where it is known; of many neighbours the mean stands for all."""
    known = [(float(line["iteration"] or 0), float(value)) for line in metrics if (value := line.get(key)) is not None]
    each = -(-len(known) // _POINTS) or 1
    groups = [known[start : start + each] for start in range(0, len(known), each)]
    return [(group[-1][0], fmean(value for _, value in group)) for group in groups]


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
        lines: Points (x, y) by name; names stand above the chart when there are several.
        label: What the chart shows, for those who cannot see it.
        x_label: Under the horizontal axis.
        y_range: Of the vertical axis; None takes that of the points.
        percent: Whether y is a share.
        limit: Where a dashed line is drawn.
    """
    xs, ys = zip(*(point for line in lines.values() for point in line), strict=True)
    frame = _Frame((min(xs), max(xs)), y_range or (min(ys), max(ys)), _TOP + _NAMES * (len(lines) > 1))
    parts = [*frame.grid(percent), *frame.horizontal_axis(x_label)]
    if limit is not None:
        parts.append(frame.dashed(limit))
    for number, line in enumerate(lines.values()):
        path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in line)
        parts.append(f'<polyline class="curve curve-{number}" points="{path}"/>')
    if len(lines) > 1:
        names = (
            f'<tspan class="name name-{n}" dx="{14 * (n > 0)}">{escape(name)}</tspan>' for n, name in enumerate(lines)
        )
        parts.append(f'<text x="{_LEFT}" y="{_TOP}">{"".join(names)}</text>')
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


def named_bars(
    values: Mapping[str, float],
    label: str,
    write: Callable[[float], str] = "{:.2f}".format,
    *,
    strong: str | None = None,
) -> str:
    """A few bars below each other, from zero, each with its name on the left and its value on the right.

    Args:
        values: By name, at least one.
        label: What the chart shows, for those who cannot see it.
        write: A value as text.
        strong: The one that stands out.
    """
    low, high = min(0.0, *values.values()), max(0.0, *values.values())
    scale = (WIDTH - _NAMED - _WRITTEN) / ((high - low) or 1.0)
    zero = _NAMED - scale * low
    parts = []
    for row, (name, value) in enumerate(values.items()):
        y, kind = _ROW * row, "strong" if name == strong else "plain"
        parts.append(f'<text class="{kind}" x="0" y="{y + 19}">{escape(name)}</text>')
        left, right = sorted((zero, zero + scale * value))
        parts.append(
            f'<rect class="{kind}" x="{left:.1f}" y="{y + 6}" width="{right - left:.1f}" height="{_ROW - 12}"/>'
        )
        parts.append(f'<text class="{kind}" x="{right + 8:.1f}" y="{y + 19}">{escape(write(value))}</text>')
    height = _ROW * len(values)
    parts.append(f'<line class="zero" x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="{height}"/>')
    return _svg(label, parts, height)


class _Frame:
    """From values to places in the picture."""

    def __init__(self, xs: tuple[float, float], ys: tuple[float, float], top: float = _TOP) -> None:
        self.ticks = _ticks(*ys)
        self.xs, self.ys, self.top = xs, (self.ticks[0], self.ticks[-1]), top

    def x(self, value: float) -> float:
        low, high = self.xs
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (value - low) / ((high - low) or 1.0)

    def y(self, value: float) -> float:
        low, high = self.ys
        share = (min(max(value, low), high) - low) / (high - low)
        return HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - self.top) * share

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


def _svg(label: str, parts: Sequence[str], height: int = HEIGHT) -> str:
    return (
        f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {WIDTH} {height}">'
        + "".join(parts)
        + f"<title>{escape(label)}</title></svg>"
    )
