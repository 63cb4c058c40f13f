"""The figures of a controller, for a terminal."""

from rich import box
from rich.table import Table

from anyskill.controller.report import BARS, Report


def figures_table(report: Report) -> Table:
    """Every figure with its bar, those that miss it in red, and what stands behind it."""
    figures, details = report.figures(), report.details()
    table = Table("figure", "value", "bar", "", box=box.SIMPLE_HEAD)
    table.columns[1].justify = "right"
    for column in table.columns[:3]:
        column.no_wrap = True
    for bar in BARS:
        value = figures[bar.key]
        color = {True: "green", False: "red", None: "default"}[bar.holds(value)]
        table.add_row(bar.title, f"[{color}]{bar.text(value)}[/]", bar.wanted, details[bar.key])
    return table
