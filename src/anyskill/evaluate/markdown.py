"""Tables of ablations as text: cells for a terminal, a Markdown file, and a section of a page of results."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from anyskill.evaluate.ablations import Results, Settings
from anyskill.evaluate.errors import EvaluationError
from anyskill.evaluate.estimates import HOW, Estimate
from anyskill.evaluate.tables import Figures, Table, figures, successes
from anyskill.files import write_atomically

BEGIN, END = "<!-- ablations -->", "<!-- /ablations -->"
"""Between these lines of a page the section stands; what was there before is replaced."""

PAPER = ("paper: rating", "paper: CLIP-S")
NOTHING = "–"
FEW = 5  # sentences that still fit beside each other


@dataclass(frozen=True)
class Grid:
    """A table as text."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def grid(table: Table, results: Results, seeds: Sequence[int]) -> Grid:
    """What is known so far, rows without any result included."""
    columns = dict(COLUMNS)
    if table.relative:
        columns["relative %"] = lambda known: _number(known.relative, scale=100)
    rows = []
    printed = any(row.paper for row in table.rows)
    for row in table.rows:
        known = figures(table, row, results, seeds)
        cells = [NOTHING if known is None else cell(known) for cell in columns.values()]
        paper = [f"{value:.2f}" for value in row.paper] if row.paper else [NOTHING] * len(PAPER)
        rows.append((row.name, *cells, *(paper if printed else ())))
    return Grid(("variant", *columns, *(PAPER if printed else ())), tuple(rows))


def by_sentence(table: Table, results: Results, seeds: Sequence[int]) -> Grid | None:
    """Success of every sentence in per cent, one figure a seed: with few sentences, more telling than their mean.

    None if there is a single sentence, or too many.
    """
    texts = tuple(dict.fromkeys(sentence.text for row in table.rows for sentence in row.sentences))
    if not 1 < len(texts) <= FEW:
        return None
    rows = []
    for row in table.rows:
        known = successes(row, results, seeds)
        cells = (", ".join(f"{100 * share:.0f}" for share in known.get(text, ())) for text in texts)
        rows.append((row.name, *(cell or NOTHING for cell in cells)))
    return Grid(("success %, a figure a seed", *texts), tuple(rows))


def document(
    tables: Sequence[Table],
    results: Results,
    seeds: Sequence[int],
    settings: Settings,
    *,
    left_out: Mapping[str, str],
    command: str,
) -> str:
    """Markdown: what was done, each table, and how to read it.

    Args:
        tables: To be shown.
        results: So far.
        seeds: That were asked for.
        settings: Of all runs.
        left_out: Why variants could not be made.
        command: Makes all this again.
    """
    judge = f"`{settings.heldout}`, which took no part in learning" if settings.heldout else "no model: none was given"
    lines = [
        "## Ablations",
        "",
        f"Made by `{command}`: seeds {', '.join(map(str, seeds))}, {settings.episodes} episodes a skill, at most "
        f"{settings.minutes:g} minutes of search and PPO a run, on {settings.device}; controller: "
        f"{Path(settings.controller).name}.",
        "",
        "*Success* is a geometric test of the motion, written without any image-text model. "
        f"The scorer behind learning and *CLIP-S* (100·cos) is `{settings.vlm}`; behind *held out* it is "
        f"{judge}. *Falls* are episodes in which the body went down to the neck, which some sentences ask for; "
        "*s* is the wall time of learning in seconds. *Difference* is that of success to the first row, in points. "
        f"{HOW}",
    ]
    for table in tables:
        lines += ["", f"### {table.title}", "", _markdown(grid(table, results, seeds))]
        if single := by_sentence(table, results, seeds):
            lines += ["", _markdown(single)]
        if table.note:
            lines += ["", table.note]
    if left_out:
        lines += ["", *(f"Not run: `{variant}`: {reason}" for variant, reason in left_out.items())]
    return "\n".join(lines) + "\n"


def insert(page: Path, section: str) -> None:
    """Put a section between the markers of a Markdown page, or at its end if it has none.

    Raises:
        EvaluationError: The page is not there, or one marker lacks the other.
    """
    try:
        text = page.read_text("utf-8")
    except OSError:
        raise EvaluationError(f"{page} cannot be read; --docs names a Markdown page that exists.") from None
    if (text.count(BEGIN), text.count(END)) == (0, 0):
        text += f"\n{BEGIN}\n{END}\n"
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise EvaluationError(f"{page} must have one line {BEGIN} and below it one line {END}; the tables go between.")
    with write_atomically(page) as file:
        file.write(f"{before}{BEGIN}\n\n{section}\n{END}{after}".encode())


def _number(value: Estimate | None, *, scale: float = 1, digits: int = 0, sign: str = "") -> str:
    """A mean and its interval; the mean alone where there is none."""
    if value is None:
        return NOTHING
    shape = f"{sign}z.{digits}f"
    mean = format(scale * value.mean, shape)
    if value.low is None or value.high is None:
        return mean
    return f"{mean} [{format(scale * value.low, shape)}, {format(scale * value.high, shape)}]"


def _runs(known: Figures) -> str:
    return str(known.runs) if known.runs == known.wanted else f"{known.runs} of {known.wanted}"


COLUMNS: Mapping[str, Callable[[Figures], str]] = {
    "runs": _runs,
    "success %": lambda known: _number(known.success, scale=100),
    "difference": lambda known: _number(known.difference, scale=100, sign="+"),
    "falls %": lambda known: _number(known.fall, scale=100),
    "CLIP-S": lambda known: _number(known.clip_s, digits=1),
    "held out": lambda known: _number(known.clip_s_heldout, digits=1),
    "s": lambda known: f"{known.seconds:.0f}",
}


def _markdown(table: Grid) -> str:
    lines = [table.headings, ("---", *["---:"] * (len(table.headings) - 1)), *table.rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
