"""The report on a controller as one page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from torch import Tensor

from anyskill.body.humanoid import Character
from anyskill.controller.pictures import film, jpeg, strip
from anyskill.controller.recall import KEPT
from anyskill.controller.report import BARS, Report
from anyskill.figures import Points, bar_chart, line_chart, points
from anyskill.page import card, data_uri, write_page
from anyskill.sim.engine import CONTROL_RATE

EACH = 3  # clips that are shown of the best, of the middle and of the worst
CURVES = {
    "reward": "reward",
    "episode_length": "steps an episode",
    "failures": "share of episodes that fail",
    "falls": "share of episodes that fall",
    "loss/imitation": "imitation loss, rad²",
    "loss/uniformity": "uniformity loss",
    "agent_accuracy": "discriminator on the agent",
    "demo_accuracy": "discriminator on the clips",
    "samples_per_second": "samples a second",
}
"""Metrics of a run that are drawn, where there are any."""


@dataclass(frozen=True)
class Subject:
    """What the report is about."""

    title: str
    facts: tuple[str, ...]
    character: Character
    metrics: Sequence[Mapping[str, float | None]] = ()
    """Lines of the run it comes from."""


def write_report(report: Report, subject: Subject, folder: Path, *, films: bool = False) -> Path:
    """Write ``report.html``, and with ``films`` mp4 files beside it; returns the page's path."""
    body = [
        f"<h1>{escape(subject.title)}</h1>",
        f'<p class="facts">{" · ".join(escape(fact) for fact in subject.facts)}</p>',
        f"<p>{_verdict(report)}</p>",
        f'<section class="grid-of">{"".join(_cards(report))}</section>',
        f'<h2>Over time, and clip by clip</h2><section class="grid-of charts">{"".join(_charts(report))}</section>',
        "<h2>Clip and controller</h2>",
        "<p class='muted'>The clip in green; below it, in white, the controller under the clip's own latents.</p>",
        *_strips(report, subject.character, folder if films else None),
        f"<h2>All clips</h2>{_table(report)}",
    ]
    if subject.metrics:
        curves = "".join(_curves(subject.metrics))
        body.append(f'<h2>Training</h2><section class="grid-of charts">{curves}</section>')
    return write_page(folder / "report.html", subject.title, body)


def _verdict(report: Report) -> str:
    figures = report.figures()
    answers = [holds for bar in BARS if (holds := bar.holds(figures[bar.key])) is not None]
    return f"<strong>{sum(answers)} of {len(answers)}</strong> bars are reached."


def _cards(report: Report) -> list[str]:
    figures, details = report.figures(), report.details()
    cards = []
    for bar in BARS:
        value = figures[bar.key]
        kind = {True: "holds", False: "fails", None: ""}[bar.holds(value)]
        wanted = bar.wanted + {True: " ✓", False: " ✗", None: ""}[bar.holds(value)]
        cards.append(
            f'<div class="card {kind}" id="{bar.key}"><h3>{bar.title}</h3>'
            f'<div><span class="value">{bar.text(value)}</span><span class="wanted">{wanted}</span></div>'
            f'<div class="detail">{escape(details[bar.key])}</div></div>'
        )
    return cards


def _charts(report: Report) -> list[str]:
    names = report.names
    errors = (100 * report.recall.error).tolist()
    by_error = dict(sorted(zip(names, errors, strict=True), key=lambda item: item[1]))
    counts = report.coverage.counts
    shares = (100 * counts / counts.sum()).tolist()
    by_count = dict(sorted(zip(names, shares, strict=True), key=lambda item: -item[1]))
    limits = {bar.key: bar.limit for bar in BARS}
    up = {"no fall": _shares(~report.calm.fallen), "never down": _shares(~report.calm.down)}
    return [
        card(
            "Recall: mean body error of each clip, cm",
            bar_chart(by_error, "error of each clip", f"{len(names)} clips, best first", limit=100 * KEPT),
        ),
        card(
            "Calm: bodies still on their feet",
            line_chart(up, "share of worlds over time", "seconds", y_range=(0, 1), percent=True, limit=limits["calm"]),
        ),
        card(
            "Recovery: bodies that have stood up",
            line_chart(
                {"stood": _shares(report.recovery.stood)},
                "share of worlds over time",
                "seconds on the ground",
                y_range=(0, 1),
                percent=True,
                limit=limits["recovery"],
            ),
        ),
        card(
            "Coverage: how often each clip is nearest, %",
            bar_chart(by_count, "share of transitions of each clip", f"{len(names)} clips, most frequent first"),
        ),
    ]


def _shares(events: Tensor) -> Points:
    """Of worlds, over time (s)."""
    shares = events.float().mean(1).tolist()
    return [(step / CONTROL_RATE, share) for step, share in enumerate([shares[0], *shares])]


def _strips(report: Report, character: Character, films: Path | None) -> list[str]:
    # A mirrored clip looks like its twin.
    order = [clip for clip in report.recall.error.argsort().tolist() if not report.names[clip].endswith("-mirrored")]
    middle = max(0, (len(order) - EACH) // 2)
    groups = {"Best": order[:EACH], "In the middle": order[middle : middle + EACH], "Worst": order[-EACH:]}
    parts, shown = [], set[int]()
    for title, clips in groups.items():
        figures = [_strip(report, clip, character, films) for clip in clips if clip not in shown]
        shown |= set(clips)
        if figures:
            parts.append(f'<h3>{title}</h3><section class="strips">{"".join(figures)}</section>')
    return parts


def _strip(report: Report, clip: int, character: Character, films: Path | None) -> str:
    recalled, name = report.recall, report.names[clip]
    length = int(recalled.lengths[clip])
    wanted, done = (states[:length, clip].to("cpu") for states in (recalled.wanted, recalled.done))
    caption = f"{escape(name)} · {_cm(recalled.error[clip])} cm off"
    if films is not None:
        path = films / f"{name.replace('/', '-')}.mp4"
        film(path, wanted, done, character)
        caption += f' · <a href="{quote(path.name)}">film</a>'
    uri = data_uri(jpeg(strip(wanted, done, character)), "image/jpeg")
    picture = f'<img alt="{escape(name)}" src="{uri}">'
    return f'<figure><figcaption>{caption}</figcaption><div class="strip">{picture}</div></figure>'


def _table(report: Report) -> str:
    recalled, own, theirs = report.recall, report.done, report.wanted
    shares = report.coverage.counts / report.coverage.counts.sum()
    rows = []
    for clip in recalled.error.argsort(descending=True).tolist():
        cells = [
            f"{int(recalled.lengths[clip]) / CONTROL_RATE:.1f}",
            _cm(recalled.worst[clip]),
            f"{100 * shares[clip]:.1f}",
            f"{own.jerk[clip]:.0f} / {theirs.jerk[clip]:.0f}",
            f"{own.sliding[clip]:.2f} / {theirs.sliding[clip]:.2f}",
            _cm(own.penetration[clip]),
        ]
        kind = "" if recalled.kept[clip] else ' class="bad"'
        rows.append(
            f"<tr><td>{escape(report.names[clip])}</td><td{kind}>{_cm(recalled.error[clip])}</td>"
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
        )
    heads = ("clip", "error, cm", "s", "furthest body, cm", "nearest, %", "jerk, m/s³", "sliding, m/s", "sinks, cm")
    head = "".join(f"<th>{name}</th>" for name in heads)
    return (
        "<p class=\"muted\">Worst first. Pairs are the controller's and the clip's own.</p>"
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _cm(metres: Tensor) -> str:
    return f"{100 * float(metres):.1f}"


def _curves(metrics: Sequence[Mapping[str, float | None]]) -> list[str]:
    """A chart of every metric of ``CURVES`` that the run has."""
    lines = {title: points(metrics, key) for key, title in CURVES.items()}
    return [
        card(title, line_chart({title: line}, f"{title} over training", "iterations"))
        for title, line in lines.items()
        if len(line) > 1
    ]
