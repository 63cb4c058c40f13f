"""What is wrong with motions, for a terminal."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from anyskill.motion.check import TOLERANCE, Check

_COLUMNS = {  # heading → value, and whether it is fine
    "time\ns": lambda c: (f"{c.duration:.1f}", True),
    "fps": lambda c: (f"{c.fps:g}", True),
    "air\n%": lambda c: (f"{100 * c.flight:.0f}", True),
    "float\ncm": lambda c: (f"{100 * c.floating:.1f}", c.floating <= TOLERANCE),
    "sink\ncm": lambda c: (f"{100 * max(c.penetration, 0.0):.1f}", c.penetration <= TOLERANCE),
    "slide\nm/s": lambda c: (f"{c.sliding:.2f}", c.sliding <= 0.3),
    "jerk\nm/s³": lambda c: (f"{c.jerk:.0f}", c.jerk <= 1000),
    "limit\n°": lambda c: (f"{c.beyond_limits:.0f}", c.beyond_limits <= 1),
    "self\ncm": lambda c: (f"{100 * c.self_collision:.1f}", c.self_collision <= 0.05),
}


def check_table(checks: Sequence[Check], followed: Sequence[float | None]) -> Table:
    """Checks as a table, what is not fine in red; ``followed`` are seconds that physics kept up, where it was tried."""
    tracked = any(seconds is not None for seconds in followed)
    table = Table("motion", *_COLUMNS, *(["held\ns"] if tracked else []), box=box.SIMPLE_HEAD)
    table.columns[0].overflow = "fold"
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for result, seconds in zip(checks, followed, strict=True):
        cells = [text if fine else f"[red]{text}[/]" for text, fine in (column(result) for column in _COLUMNS.values())]
        table.add_row(result.name, *cells, *([f"{seconds:.1f}"] if seconds is not None else []))
    return table


def summary(result: Check) -> str:
    """One line about a clip."""
    return (
        f"{result.duration:.1f} s, floating {100 * result.floating:.1f} cm, below ground "
        f"{100 * result.penetration:.1f} cm, sliding {result.sliding:.2f} m/s"
    )
