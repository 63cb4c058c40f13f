"""``anyskill benchmark``: learn all sentences of a suite and see how well."""

import json as json_format
from dataclasses import replace
from pathlib import Path


def benchmark(
    out: Path,
    suite: Path | None = None,
    only: str | None = None,
    episodes: int = 64,
    iterations: int | None = None,
    vlm: str = "bodyclip",
    heldout: str | None = None,
    controller: Path | None = None,
    device: str = "cpu",
    seed: int = 0,
    json: bool = False,
) -> None:
    """Learn every sentence of a suite, evaluate it beside random latents and the best single one, and make a page.

    It may be stopped at any time; the same command goes on with the sentence at hand.

    Args:
        out: Folder of the benchmark.
        suite: File of sentences with their tests; without, the one that comes with this package, whose first lines
            explain the form.
        only: One group of sentences, such as arms.
        episodes: New ones, of each sentence and each baseline.
        iterations: Of PPO at most, for each sentence; without, as `anyskill learn`.
        vlm: Image-text model to learn with.
        heldout: A second one for CLIP-S, which has no part in learning.
        controller: The low-level controller's file; without, the one that comes with this package.
        device: cpu or cuda.
        seed: Of everything random.
        json: Print a JSON object a sentence, as soon as it is done, instead of a table.
    """
    from rich.console import Console

    from anyskill.cli.score_table import benchmark_table
    from anyskill.evaluate.benchmark import Result, Settings
    from anyskill.evaluate.benchmark import benchmark as run
    from anyskill.evaluate.page import write_benchmark
    from anyskill.evaluate.suite import load_suite
    from anyskill.learning.config import to_plain
    from anyskill.skill.parts import usual_features
    from anyskill.skill.task import preset

    learning = preset("fast", usual_features(vlm, None))
    if iterations is not None:
        learning = replace(learning, iterations=iterations)
    file = None if controller is None else str(controller.resolve())
    settings = Settings(vlm, heldout, file, device, seed, episodes, learning)
    sentences = load_suite(suite, only)
    results: list[Result] = []
    console = Console(stderr=True, highlight=False)
    with console.status("") as status:
        for result in run(
            out, sentences, settings, tell=lambda text: status.update(f"{len(results) + 1}/{len(sentences)} {text}")
        ):
            results.append(result)
            if json:
                print(json_format.dumps(to_plain(result), ensure_ascii=False), flush=True)
            else:
                console.print(f"{result.text}: {result.share}")
            page = write_benchmark(out, results, settings)
    if not json:
        Console().print(benchmark_table(results))
    print(page, file=console.file)
