"""Charts of a run, each in a frame of its own: how training went, and where the time has gone."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from anyskill.figures import Points, line_chart, named_bars, points
from anyskill.page import card
from anyskill.skill.summary import Summary

Metrics = Sequence[Mapping[str, Any]]
"""Lines of ``metrics.jsonl``, as ``SkillTraining.iterate`` reports them."""

STAGES = {"bank": "latents of the bank", "refined": "refined latents", "sequences": "sequences", "clips": "clips"}


def learning_charts(metrics: Metrics) -> list[str]:
    """Similarity, reward, how episodes end, and audits over training; charts without any point are left out."""
    # Shares of episodes say nothing about iterations in which none has ended.
    ended = [
        {**line, "given up": line["early/similarity"] / line["episodes"]} for line in metrics if line.get("episodes")
    ]
    ends = {
        "falls": points(ended, "falls"),
        "given up": points(ended, "given up"),
        "bodies down": points(metrics, "lying"),
    }
    audits = {"cosine": points(metrics, "audit/cosine"), "rank correlation": points(metrics, "audit/spearman")}
    return [
        *_chart(
            "Similarity",
            {"similarity": points(metrics, "similarity")},
            "Cosine, mean of all worlds, from the first step of an episode and while the policy explores: not to be "
            "compared with the figures above.",
        ),
        *_chart("Reward", {"reward": points(metrics, "reward")}, "Of a decision (1/6 s), mean of all worlds."),
        *_chart(
            "Falls and early terminations",
            ends,
            "Of the episodes that ended, those in which the head came too low and those whose similarity kept "
            "decreasing; of all bodies, those that are down.",
            shares=True,
        ),
        *_chart("Audits against true pictures", audits, _audits(metrics)),
    ]


def time_charts(summary: Summary | None, metrics: Metrics) -> list[str]:
    """What search found, and how long each stage took."""
    cards = []
    if summary and summary.search:
        found = {STAGES.get(stage, stage): score for stage, score in summary.search.items()}
        note = (
            "Best score of each stage: similarity in the last half of a trial, less penalties for lying and for "
            "every latent more than one, plus a reward for being near what the controller has seen."
        )
        cards.append(card("What search found", named_bars(found, "score by stage") + _detail(note)))
    seconds = {stage: time for stage, time in asdict(summary.seconds).items() if time} if summary else {}
    if seconds:
        note = f"{duration(sum(seconds.values()))} in all. {_phases(metrics)}"
        cards.append(card("Time by stage", named_bars(seconds, "time by stage", duration) + _detail(note)))
    return cards


def duration(seconds: float) -> str:
    """A time as people say it: ``9.4 s``, ``2 min 51 s``, ``3 h 20 min``."""
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left} min" if hours else f"{minutes} min {rest} s"


def _phases(metrics: Metrics) -> str:
    names = {name for line in metrics for name in line if name.startswith("seconds/")}
    phases = {name.removeprefix("seconds/"): sum(line.get(name) or 0.0 for line in metrics) for name in names}
    longest_first = sorted(phases.items(), key=lambda phase: -phase[1])
    shares = ", ".join(
        f"{name} {percent(seconds / sum(phases.values()))}" for name, seconds in longest_first if seconds
    )
    return f"Of training: {shares}." if shares else ""


def percent(share: float) -> str:
    """A share as people write it, ``3 %``; no line breaks in it."""
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"


def _chart(title: str, lines: Mapping[str, Points], detail: str, *, shares: bool = False) -> list[str]:
    if not any(lines.values()):
        return []
    chart = ""
    if all(len(line) > 1 for line in lines.values()):
        y_range = (0.0, 1.0) if shares else None
        chart = line_chart(lines, f"{title} over training", "iterations", y_range=y_range, percent=shares)
    return [card(title, chart + _detail(detail))]


def _detail(text: str) -> str:
    return f'<p class="detail">{text}</p>'


def _audits(metrics: Metrics) -> str:
    audits = [line for line in metrics if "audit/alarm" in line]
    if not audits:
        return ""
    alarms = sum(bool(line["audit/alarm"]) for line in audits)
    # A rank correlation is unknown where all states score the same.
    names = ("audit/cosine", "audit/spearman", "audit/optimism")
    agreement, ranks, optimism = (
        "unknown" if (value := audits[-1][name]) is None else f"{value:.3f}" for name in names
    )
    return (
        f"{alarms} of {len(audits)} raised an alarm. At the last, the cosine of projected and true features was "
        f"{agreement}, the rank correlation of their scores {ranks}; the states that the projection likes best were "
        f"overrated by {optimism} standard deviations."
    )
