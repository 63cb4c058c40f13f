"""Figures of skills, for a terminal."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from anyskill.evaluate.benchmark import Result
from anyskill.evaluate.page import METHODS, overall
from anyskill.evaluate.score import Score


def score_table(score: Score) -> Table:
    """Every figure of one sentence and what it is."""
    table = Table("figure", "value", "", title=score.text, title_justify="left", box=box.SIMPLE_HEAD)
    table.columns[1].justify = "right"
    for column in table.columns[:2]:
        column.no_wrap = True
    table.add_row("success", str(score.share), f"of {score.episodes} new episodes, told by geometry (95 %)")
    table.add_row(
        "CLIP-S", _number(score.clip_s), "100 · cosine of pictures and sentence, by the model of the training"
    )
    if score.clip_s_heldout is not None:
        table.add_row("CLIP-S", _number(score.clip_s_heldout), "by the held-out model")
    table.add_row("falls", f"{100 * score.fall:.0f} %", "episodes with the neck near the ground")
    table.add_row("jerk", f"{score.jerk:.0f} m/s³", "over all bodies")
    table.add_row("sliding", f"{score.sliding:.2f} m/s", "of feet on the ground")
    table.add_row("penetration", f"{100 * score.penetration:.1f} cm", "greatest depth below the ground in an episode")
    table.add_row("energy", f"{score.energy:.1f} (rad/s)²", "mean squared joint velocity")
    return table


def benchmark_table(results: Sequence[Result]) -> Table:
    """A row a sentence, group by group; below, the means of what was learnt and of the baselines."""
    heldout = any(result.clip_s_heldout is not None for result in results)
    heads = ["success", "best\nlatent", "random", "CLIP-S", *(["held-\nout"] if heldout else []), "falls", "s"]
    table = Table("sentence", *heads, box=box.SIMPLE_HEAD)
    table.columns[0].min_width = 18
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for group in dict.fromkeys(result.group for result in results):
        table.add_row(f"[bold]{group}[/]")
        for result in (each for each in results if each.group == group):
            baselines = (result.best_latent, result.random)
            table.add_row(
                f"  {result.text}",
                str(result.share),
                *("–" if share is None else f"{100 * share.success:.0f} %" for share in baselines),
                _number(result.clip_s),
                *([_number(result.clip_s_heldout)] if heldout else []),
                f"{100 * result.fall:.0f} %",
                "–" if result.seconds is None else f"{result.seconds:.0f}",
            )
        table.add_section()
    table.add_row("[bold]mean[/]")
    for name, share in overall(results).items():
        table.add_row(f"  {METHODS[name]}", str(share))
    return table


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
