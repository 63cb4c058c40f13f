"""The benchmark: learn every sentence of a suite, evaluate it beside two baselines, and go on where it was stopped.

Its folder holds ``settings.json``, ``results.jsonl`` (a line a sentence), ``benchmark.html``, and for each sentence the
folder of its run.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from anyskill.controller.controller import Controller
from anyskill.evaluate.errors import EvaluationError
from anyskill.evaluate.runs import best_latent, learning_time
from anyskill.evaluate.score import EPISODES, PictureScore, Score, episodes_of, measure, passes, share_of
from anyskill.evaluate.statistics import Share
from anyskill.evaluate.suite import Sentence
from anyskill.files import write_atomically
from anyskill.learning.config import from_plain, to_plain
from anyskill.learning.errors import LearningError
from anyskill.skill.comparison import RandomLatents
from anyskill.skill.learn import learn
from anyskill.skill.pictures import sheet
from anyskill.skill.play import Playable, Played
from anyskill.skill.request import slug
from anyskill.skill.summary import Summary
from anyskill.skill.task import LearnConfig
from anyskill.vision_language.model import ImageTextModel, load_model

PICTURE = "benchmark.png"
"""In each sentence's folder: one episode, one that passed if any did."""


@dataclass(frozen=True)
class Settings:
    """What all results of a folder have in common."""

    vlm: str = "bodyclip"
    """Image-text model to learn with."""
    heldout: str | None = None
    """One that has no part in learning, for a second CLIP-S."""
    controller: str | None = None
    """File of the low-level controller; None is the one that comes with the package."""
    device: str = "cpu"
    seed: int = 0
    episodes: int = EPISODES
    learning: LearnConfig = field(default_factory=LearnConfig)


@dataclass(frozen=True)
class Result(Score):
    """A line of ``results.jsonl``."""

    group: str = ""
    test: str = ""
    """The test and for how long it must hold, as JSON: another test makes another result."""
    random: Share | None = None
    """Success of latents of the bank drawn at random, one for each episode."""
    best_latent: Share | None = None
    """Success of the single latent of the bank that suited best, by the same scorer; None without a search."""


Learner = Callable[[str, Path], Playable]
"""Learns a sentence in a folder, or goes on there, and leaves a summary."""


def learner(settings: Settings) -> Learner:
    """``learn`` with these settings."""
    return lambda text, folder: learn(
        text,
        out=folder,
        controller=None if settings.controller is None else Path(settings.controller),
        vlm=settings.vlm,
        device=settings.device,
        config=settings.learning,
        seed=settings.seed,
        progress=False,
    )


def benchmark(
    folder: Path,
    suite: Sequence[Sentence],
    settings: Settings,
    *,
    learn: Learner | None = None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Iterator[Result]:
    """Results of all sentences in order; those that the folder holds already come at once.

    Args:
        folder: Is made if needed.
        suite: What to learn.
        settings: Must be those of the results that are there.
        learn: Learns one sentence; by default ``learner(settings)``.
        tell: Is told the sentence that comes next.

    Raises:
        EvaluationError: The folder holds results of other settings, or cannot be read.
        KeyboardInterrupt: The person has stopped a sentence while it was learnt; what is done is kept.
    """
    _claim(folder, settings)
    learn = learn or learner(settings)
    onlookers: list[PictureScore | None] | None = None
    results = read_results(folder)
    for sentence in suite:
        done = next((each for each in results if _is_of(each, sentence)), None)
        if done is not None:
            yield done
            continue
        tell(sentence.text)
        run = folder / slug(sentence.text)
        skill = learn(sentence.text, run)
        summary = Summary.read(run)
        if summary.stopped:
            raise KeyboardInterrupt
        if onlookers is None:
            onlookers = _onlookers(settings, skill.controller)
        played = episodes_of(skill, settings.episodes, seed=settings.seed)
        score = measure(
            played, sentence, model=onlookers[0], heldout=onlookers[1], seconds=round(learning_time(summary), 1)
        )
        random = RandomLatents(skill.controller, settings.seed)
        result = Result(
            **asdict(score),
            group=sentence.group,
            test=sentence.fixed,
            random=_success_of(random, sentence, settings),
            best_latent=_success_of(best_latent(run, skill.controller), sentence, settings),
        )
        _draw(played, sentence, run / PICTURE)
        results = [each for each in results if each.text != result.text] + [result]
        _store(folder, results)
        yield result


def read_results(folder: Path) -> list[Result]:
    """All lines of a folder's ``results.jsonl``; none if there is no such file.

    Raises:
        EvaluationError: The file is damaged.
    """
    path = folder / "results.jsonl"
    if not path.exists():
        return []
    try:
        return [from_plain(Result, json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    except (OSError, ValueError, TypeError, LearningError) as error:
        raise EvaluationError(f"{path} cannot be read ({error}); delete it to evaluate everything again.") from None


def _claim(folder: Path, settings: Settings) -> None:
    """Write down the settings, or make sure that they are the same."""
    path, text = folder / "settings.json", json.dumps(to_plain(settings), indent=2) + "\n"
    if folder.exists() and not folder.is_dir():
        raise EvaluationError(f"{folder} is a file; --out must be a folder.")
    if not path.exists():
        _write(path, text)
        return
    try:
        before = json.loads(path.read_text("utf-8"))
        changed = [name for name, value in json.loads(text).items() if before.get(name) != value]
    except (OSError, ValueError, AttributeError) as error:
        raise EvaluationError(f"{path} cannot be read ({error}); choose another folder.") from None
    if changed:
        raise EvaluationError(
            f"{folder} holds a benchmark with other settings ({', '.join(changed)}); "
            "give the same ones to go on, or choose another folder with --out."
        )


def _onlookers(settings: Settings, controller: Controller) -> list[PictureScore | None]:
    def onlooker(name: str | None) -> PictureScore | None:
        model: ImageTextModel | None = None if name is None else load_model(name, settings.device)
        return None if model is None else PictureScore(model, controller.skeleton.character)

    return [onlooker(settings.vlm), onlooker(settings.heldout)]


def _success_of(skill: Playable | None, sentence: Sentence, settings: Settings) -> Share | None:
    return None if skill is None else share_of(episodes_of(skill, settings.episodes, seed=settings.seed), sentence)


def _draw(played: Played, sentence: Sentence, path: Path) -> None:
    chosen = int(passes(played, sentence).float().argmax())
    one = Played(played.character, played.states[:, [chosen]], played.fallen[[chosen]])
    sheet(one, path, episodes=1, moments=8, size=128)


def _store(folder: Path, results: Sequence[Result]) -> None:
    lines = [json.dumps(to_plain(each), ensure_ascii=False) + "\n" for each in results]
    _write(folder / "results.jsonl", "".join(lines))


def _write(path: Path, text: str) -> None:
    try:
        with write_atomically(path) as file:
            file.write(text.encode())
    except OSError as error:
        raise EvaluationError(
            f"{path} cannot be written ({error.strerror or error}); make room, or choose another folder with --out. "
            "Sentences that are done are kept: the same command goes on from there."
        ) from None


def _is_of(result: Result, sentence: Sentence) -> bool:
    return (result.text, result.group, result.test) == (sentence.text, sentence.group, sentence.fixed)
