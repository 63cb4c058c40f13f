"""``anyskill bench``: how fast this machine is."""

import json as json_format
from collections.abc import Iterable
from dataclasses import asdict
from importlib import import_module
from typing import Literal

import tyro
from rich.live import Live
from rich.table import Table

from anyskill.bench import Result, run_cases

_SUITES = {
    "physics": "anyskill.sim.bench",
    "render": "anyskill.render.bench",
    "library": "anyskill.motion.bench",
    "pretrain": "anyskill.controller.bench",
    "controller": "anyskill.controller.acting_bench",
    "bodyclip": "anyskill.vision_language.bodyclip.bench",
    "projection": "anyskill.vision_language.bench",
    "skill": "anyskill.skill.bench",
}


def bench(
    suite: tyro.conf.Positional[
        Literal["physics", "render", "library", "pretrain", "controller", "bodyclip", "projection", "skill"]
    ],
    json: bool = False,
    quick: bool = False,
) -> None:
    """Measure how fast one part of the package is on this machine.

    Args:
        suite: What to measure.
        json: Print one JSON object a line instead of a table.
        quick: Small sizes and short runs: some seconds instead of minutes.
    """
    module = import_module(_SUITES[suite])
    results = run_cases(module.cases(quick=quick), seconds=0.5 if quick else getattr(module, "SECONDS", 3.0))
    if json:
        for result in results:
            print(json_format.dumps(asdict(result)), flush=True)
    else:
        _print_table(suite, results)


def _print_table(suite: str, results: Iterable[Result]) -> None:
    """A table that grows as results come in."""
    table = Table(title=f"{suite}: medians; ratio is how many times better than the reference", title_justify="left")
    table.add_column("case")
    for column in ("value", "unit", "reference", "ratio"):
        table.add_column(column, justify="left" if column == "unit" else "right")
    with Live(table):
        for result in results:
            numbers = (_short(result.value), result.unit, _short(result.reference), _short(result.ratio))
            table.add_row(result.case, *numbers)


def _short(value: float | None) -> str:
    """Three digits that count, thousands apart."""
    if value is None:
        return ""
    return f"{value:,.0f}".replace(",", " ") if value >= 1000 else f"{value:.3g}"
