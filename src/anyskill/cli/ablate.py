"""``anyskill ablate``: the paper's tables, and ours beside them."""

import inspect
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Literal


def ablate(
    out: Path,
    table: tuple[Literal["1", "3", "ours", "text"], ...] = (),
    sentences: tuple[str, ...] = (),
    suite: Path | None = None,
    seeds: int = 3,
    episodes: int = 32,
    minutes_per_run: float = 4.0,
    docs: Path | None = None,
    vlm: str = "bodyclip",
    heldout: str | None = None,
    controller: Path | None = None,
    projection: Path | None = None,
    device: str = "cpu",
) -> None:
    """Learn and evaluate variants of the method on the same sentences and seeds, and compare them in tables.

    Ctrl-C stops it; the same command goes on from there. Results are in the folder's results.jsonl (a line a run) and,
    at all times, tables.md; more seeds, sentences or tables can be asked for later.

    Args:
        out: Folder of all runs.
        table: Only these: 1 (early termination, text enhancement, video model) and 3 (forms of the reward) are the
            paper's; ours compares search, PPO, both, true pictures and the paper's recipes; text tells one policy
            sentences that it was never trained on. Without, all four.
        sentences: Only these of the suite; the table text has sentences of its own.
        suite: File of sentences and their tests; without, the benchmark that comes with this package.
        seeds: Runs of each variant and sentence.
        episodes: New ones that each skill is evaluated in.
        minutes_per_run: Of search and PPO at most; the policy of the table text has as much for each of its sentences.
        docs: Also put the tables into this Markdown page, between <!-- ablations --> and <!-- /ablations -->.
        vlm: The scorer: bodyclip, a Hugging Face name, or a folder.
        heldout: Another image-text model, which has no part in learning, for a second CLIP-S.
        controller: File of the low-level controller; without, the one that comes with this package.
        projection: File of the scorer's state projection; without, the one that comes with this package.
        device: cpu or cuda.
    """
    command = _command(locals())
    from rich.console import Console

    from anyskill.cli.ablation_table import ablation_table
    from anyskill.evaluate import ablations, comparisons, markdown
    from anyskill.evaluate.ablations import Case, Settings
    from anyskill.evaluate.errors import EvaluationError
    from anyskill.evaluate.suite import load_suite
    from anyskill.evaluate.tables import in_order
    from anyskill.evaluate.variants import Means
    from anyskill.files import write_atomically

    _check(out, seeds, minutes_per_run)
    wanted = comparisons.chosen(load_suite(suite), sentences)
    tables = [comparisons.table(name, wanted) for name in table or comparisons.TABLES]
    cases, left_out = in_order(tables, range(seeds)), dict[str, str]()
    settings = Settings(minutes_per_run, episodes, vlm, heldout, _file(controller), _file(projection), device)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with console.status("loading"):
        means = Means.of(vlm, controller, projection, device=device, minutes=minutes_per_run)
        recipes, measure = comparisons.recipes(means, out), ablations.measuring(settings)
    results = ablations.open_folder(out, settings)

    def write() -> None:
        text = markdown.document(tables, results, range(seeds), settings, left_out=left_out, command=command)
        with write_atomically(out / "tables.md") as file:
            file.write(text.encode())
        if docs is not None:
            markdown.insert(docs, text)

    def begin(case: Case) -> None:
        status.update(f"{sum(each in results for each in cases) + 1}/{len(cases)} {_name(case)}")

    def done(case: Case) -> None:
        console.print(f"{_name(case)}: {100 * results[case].success:.0f} %, {results[case].seconds:.0f} s")
        write()

    def _name(case: Case) -> str:
        return f"seed {case.seed}, {case.sentence.text}, {case.variant}"

    write()
    try:
        with console.status("") as status:
            left_out |= ablations.run(cases, recipes, measure, results, begin, done)
    except KeyboardInterrupt:
        console.print(f"Stopped; the same command goes on from here. What is known so far: {out / 'tables.md'}")
        raise
    write()
    for each in tables:
        Console().print(ablation_table(each.title, markdown.grid(each, results, range(seeds))))
    for variant, reason in left_out.items():
        console.print(f"Not run: {variant}: {reason}", style="red", markup=False)
    if not any(case in results for case in cases):
        raise EvaluationError(f"nothing could be run: {next(iter(left_out.values()))}")
    print(out / "tables.md", file=console.file)


def _file(path: Path | None) -> str:
    return "built in" if path is None else str(path.resolve())


def _check(out: Path, seeds: int, minutes: float) -> None:
    from anyskill.evaluate.errors import EvaluationError

    if out.exists() and not out.is_dir():
        raise EvaluationError(f"{out} is a file; --out must be a folder.")
    if seeds < 1 or minutes <= 0:
        raise EvaluationError("--seeds must be at least 1, and --minutes-per-run more than 0.")


def _command(arguments: Mapping[str, object]) -> str:
    """What makes the same again: all arguments that are not the defaults."""
    words = ["anyskill", "ablate"]
    for name, parameter in inspect.signature(ablate).parameters.items():
        value = arguments[name]
        if value != parameter.default:
            words += [f"--{name.replace('_', '-')}", *map(str, value if isinstance(value, tuple) else [value])]
    return shlex.join(words)
