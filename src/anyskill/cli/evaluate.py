"""``anyskill evaluate``: how well does a skill do what its sentence says?"""

import json as json_format
from pathlib import Path
from typing import Annotated

import tyro


def evaluate(
    run: Annotated[Path, tyro.conf.Positional],
    texts: tuple[str, ...] = (),
    suite: Path | None = None,
    episodes: int = 64,
    heldout: str | None = None,
    controller: Path | None = None,
    device: str = "cpu",
    seed: int = 0,
    json: bool = False,
) -> None:
    """Play a skill in new episodes and measure what it does: success by geometry, CLIP-S, falls, smoothness.

    Args:
        run: Folder that `anyskill learn` has made.
        texts: Of a skill of several sentences: which, also new ones; without, all of its own.
        suite: File of sentences with their tests; without, the one that comes with this package.
        episodes: How many.
        heldout: A second image-text model for CLIP-S, one that had no part in learning.
        controller: The low-level controller the skill was learnt on; without, the one it remembers.
        device: cpu or cuda.
        seed: Of where episodes begin.
        json: Print one JSON object a sentence instead of a table.
    """
    from rich.console import Console

    from anyskill.cli.score_table import score_table
    from anyskill.evaluate.runs import evaluate_run
    from anyskill.evaluate.suite import load_suite
    from anyskill.learning.config import to_plain

    sentences = load_suite(suite)
    with Console(stderr=True).status("playing"):
        scores = evaluate_run(
            run,
            sentences,
            texts=texts,
            episodes=episodes,
            seed=seed,
            heldout=heldout,
            controller=controller,
            device=device,
        )
    for score in scores:
        if json:
            print(json_format.dumps(to_plain(score), ensure_ascii=False))
        else:
            Console().print(score_table(score))
