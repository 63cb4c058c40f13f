"""Ablations: every variant of learning, on the same sentences and seeds, one after the other and never twice."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from anyskill.errors import AnyskillError
from anyskill.evaluate.errors import EvaluationError
from anyskill.evaluate.score import Score, evaluate
from anyskill.evaluate.suite import Sentence
from anyskill.files import write_atomically
from anyskill.learning.config import from_plain
from anyskill.learning.errors import LearningError
from anyskill.learning.run_folder import RunFolder
from anyskill.skill.play import Playable
from anyskill.skill.request import slug
from anyskill.vision_language.model import load_model

FILE = "results.jsonl"

Key = tuple[str, str, int, str]


@dataclass(frozen=True)
class Settings:
    """What must not change between the runs of one folder, or they could not be compared."""

    minutes: float
    """Wall time of each run's search and training at most."""
    episodes: int
    """That each skill is evaluated in."""
    vlm: str
    """The scorer: the image-text model that skills are learnt with."""
    heldout: str | None
    """Another image-text model, which only evaluates."""
    controller: str
    """Its file, or "built in"."""
    projection: str
    """Likewise."""
    device: str


@dataclass(frozen=True)
class Case:
    """One run."""

    variant: str
    sentence: Sentence
    seed: int

    @property
    def key(self) -> Key:
        """What tells it apart in the file of results; another test makes another result."""
        return self.variant, self.sentence.text, self.seed, self.sentence.fixed


@dataclass(frozen=True)
class Made:
    """What a recipe has made of a sentence."""

    skill: Playable
    seconds: float
    """Wall time of search and training; of all its sentences together, where one policy learnt several."""


Recipe = Callable[[Case, Path], Made]
"""How a variant makes a skill; a recipe that left something in the folder goes on from there."""

Measure = Callable[[Case, Playable], Score]
"""Figures of a skill in new episodes."""


@dataclass(frozen=True)
class Result:
    """A line of the file of results."""

    variant: str
    text: str
    seed: int
    test: str
    """As ``Sentence.fixed``."""
    success: float
    """Share of episodes that passed the geometric test."""
    clip_s: float | None
    """100·cos with the scorer."""
    fall: float
    """Share of episodes in which the body went down."""
    seconds: float
    """See ``Made``."""
    clip_s_heldout: float | None = None
    """100·cos with the other model."""

    @property
    def key(self) -> Key:
        """As ``Case.key``."""
        return self.variant, self.text, self.seed, self.test


class Results:
    """``results.jsonl`` of a folder: a line a run, written as soon as it is known.

    Args:
        folder: Of the ablations; a line torn by a crash is dropped from its file.

    Raises:
        EvaluationError: A line is whole, but no result.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._known: dict[Key, Result] = {}
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
        for number, line in enumerate(lines, 1):
            try:
                plain = json.loads(line)
            except json.JSONDecodeError:
                continue
            self._remember(plain, number)
        if len(self._known) < len(lines):
            with write_atomically(self.path) as file:
                file.write("".join(_line(result) for result in self._known.values()).encode())

    def __contains__(self, case: Case) -> bool:
        return case.key in self._known

    def __getitem__(self, case: Case) -> Result:
        return self._known[case.key]

    def add(self, result: Result) -> None:
        """Append a run to the file.

        Raises:
            EvaluationError: It cannot be written.
        """
        self._known[result.key] = result
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(_line(result))
        except OSError as error:
            raise EvaluationError(
                f"{self.path} cannot be written ({error.strerror}); make room: the same command then goes on from here."
            ) from None

    def _remember(self, plain: Any, number: int) -> None:
        try:
            result = from_plain(Result, plain)
        except (LearningError, AttributeError, TypeError) as error:
            raise EvaluationError(f"{self.path}, line {number} is no result ({error}); remove it.") from None
        self._known[result.key] = result


def open_folder(folder: Path, settings: Settings) -> Results:
    """Begin in a folder, or go on there.

    Raises:
        EvaluationError: It was begun with other settings.
    """
    if not (folder / "config.yaml").exists():
        RunFolder.create(folder, settings)
    before = asdict(RunFolder.open(folder).config_as(Settings))
    for name, value in asdict(settings).items():
        if before[name] != value:
            raise EvaluationError(
                f"{folder} was begun with {name} {before[name]}, and this is {value}; give the same or another folder."
            )
    return Results(folder)


def run(
    cases: Iterable[Case],
    recipes: Mapping[str, Recipe],
    measure: Measure,
    results: Results,
    begin: Callable[[Case], None] = lambda case: None,
    done: Callable[[Case], None] = lambda case: None,
) -> dict[str, str]:
    """Make and measure every case that has no result yet, in order.

    Args:
        cases: What is wanted.
        recipes: By variant.
        measure: Evaluates.
        results: Where lines are looked up and added.
        begin: Told of each case that is to be made.
        done: Told of each that has its result now.

    Returns:
        Why variants could not be made here, such as for want of a model; the rest of their cases are left out.
    """
    left_out: dict[str, str] = {}
    for case in cases:
        if case in results or case.variant in left_out:
            continue
        begin(case)
        try:
            made = recipes[case.variant](case, folder_of(results.path.parent, case))
        except AnyskillError as error:
            left_out[case.variant] = str(error)
            continue
        score = measure(case, made.skill)
        figures = {name: getattr(score, name) for name in ("success", "clip_s", "clip_s_heldout", "fall")}
        results.add(Result(*case.key, seconds=made.seconds, **figures))
        done(case)
    return left_out


def measuring(settings: Settings) -> Measure:
    """``score.evaluate`` with the models and episodes of some settings.

    Raises:
        VisionLanguageError: A model cannot be loaded.
    """
    model = load_model(settings.vlm, settings.device)
    heldout = None if settings.heldout is None else load_model(settings.heldout, settings.device)

    def measure(case: Case, skill: Playable) -> Score:
        return evaluate(skill, case.sentence, settings.episodes, seed=case.seed, model=model, heldout=heldout)

    return measure


def folder_of(root: Path, case: Case) -> Path:
    """Where a case is learnt."""
    return root / f"seed-{case.seed}" / slug(case.sentence.text) / case.variant


def _line(result: Result) -> str:
    return json.dumps(asdict(result), ensure_ascii=False) + "\n"
