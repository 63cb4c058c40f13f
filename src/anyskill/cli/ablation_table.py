"""A table of ablations, for a terminal."""

from rich import box
from rich.table import Table

from anyskill.evaluate.markdown import PAPER, Grid

WITH_INTERVAL = ("success %", "difference", "relative %")


def ablation_table(title: str, grid: Grid) -> Table:
    """Its cells as in Markdown, but short: intervals only of success, and without the paper's figures."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    shown = [column for column, heading in enumerate(grid.headings) if heading not in PAPER]
    for column in shown:
        table.add_column(grid.headings[column].replace(" ", "\n"), justify="right", overflow="fold")
    table.columns[0].justify, table.columns[0].min_width = "left", 12
    for row in grid.rows:
        cells = (row[column] if grid.headings[column] in WITH_INTERVAL else _mean(row[column]) for column in shown)
        table.add_row(*cells)
    return table


def _mean(cell: str) -> str:
    return cell.partition(" [")[0]
