"""``learn``: from a sentence to a finished skill, in a folder that can go on at any time."""

import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from statistics import fmean

import torch
from rich.console import Console

import anyskill
from anyskill.body.state import BodyState
from anyskill.learning.checkpoint import differences
from anyskill.learning.config import to_plain
from anyskill.learning.errors import LearningError
from anyskill.learning.run_folder import RunFolder
from anyskill.skill.errors import SkillError
from anyskill.skill.lesson import Lesson
from anyskill.skill.parts import load_parts, usual_features
from anyskill.skill.pictures import sheet, video
from anyskill.skill.play import Played, play
from anyskill.skill.report import write_report
from anyskill.skill.request import Request, slug, understand
from anyskill.skill.skill import FILE, Skill
from anyskill.skill.starts import StartConfig
from anyskill.skill.summary import FILE as SUMMARY
from anyskill.skill.summary import Seconds, Summary
from anyskill.skill.task import LearnConfig, Task, preset
from anyskill.text.enhance import checked

EPISODES, SECONDS = 4, 5.0  # of the film


def learn(
    text: str | Sequence[str],
    *,
    out: Path | str | None = None,
    controller: Path | str | None = None,
    vlm: str = "bodyclip",
    projection: Path | str | None = None,
    device: torch.device | str = "cpu",
    config: LearnConfig | None = None,
    seed: int = 0,
    progress: bool = True,
) -> Skill:
    """Learn to do what a sentence says, or go on with a run of the same that was stopped.

    Ctrl-C and SIGTERM end training after the iteration at hand; the best so far is kept and shown.

    Args:
        text: What to do; several sentences become one policy that is told which.
        out: Folder of the run; by default ``runs/`` and the sentence.
        controller: File of the low-level controller; by default the one that comes with the package.
        vlm: The scorer: ``bodyclip``, a Hugging Face name, or a folder.
        projection: File of the scorer's state projection; by default the one that comes with the package. Another
            scorer without one is shown true pictures, which takes very much longer.
        device: cpu or cuda.
        config: Settings; by default ``preset("fast")``.
        seed: Of everything random.
        progress: Say how it goes, on standard error.

    Returns:
        The best of what was searched and trained.

    Raises:
        TextError: A sentence is empty or too long.
        SkillError: The folder holds a run of something else, or a file cannot be written.
        ControllerError: The controller cannot be loaded.
        VisionLanguageError: The scorer or its projection cannot be loaded.
    """
    config = config or preset("fast", usual_features(vlm, projection))
    task = Task.of(text, vlm, controller, projection, device, seed, config)
    for sentence in task.texts:
        checked(sentence)
    folder = Path("runs") / slug(task.texts[0]) if out is None else Path(out)
    return _run(folder, task, progress)


def resume(
    folder: Path | str, *, iterations: int | None = None, minutes: float | None = None, progress: bool = True
) -> Skill:
    """Go on with a run, by what its folder says.

    Args:
        folder: Of the run.
        iterations: Of PPO in all; by default as before. If given, PPO does not end when it has converged.
        minutes: Of PPO from now on at most.
        progress: Say how it goes, on standard error.

    Raises:
        CheckpointError: There is no run in the folder.
        SkillError: It is another kind of run, or a file cannot be written.
    """
    task = _task_of(Path(folder))
    config = replace(task.config, minutes=minutes)
    if iterations is not None:
        config = replace(config, iterations=iterations, converge=False)
    return _run(Path(folder), replace(task, config=config), progress)


def _run(folder: Path, task: Task, progress: bool) -> Skill:
    console = Console(stderr=True, quiet=not progress, highlight=False, markup=False, soft_wrap=True)
    if folder.exists() and not folder.is_dir():
        raise SkillError(f"{folder} is a file; --out must be a folder.")
    if (folder / "config.yaml").exists():
        _check_same(folder, task)
        if _finished(folder, task.config):
            longer = f"{_command(folder)} --iterations {2 * task.config.iterations}"
            console.print(f"{folder} holds this skill already; `{longer}` trains it longer, --out learns it elsewhere.")
            return Skill.load(folder, device=task.device)
    try:
        with _room_to_write(folder):
            return _stages(folder, task, console)
    except KeyboardInterrupt:  # outside of training, which ends in good order
        console.print("Stopped; the same command goes on from here.")
        raise


def _stages(folder: Path, task: Task, console: Console) -> Skill:
    """Read the sentences, search, train, compare, keep the best, and show it."""
    begin = time.perf_counter()
    parts = load_parts(task)
    if (folder / FILE).exists():
        Skill.load(folder / FILE, parts.controller, task.device)  # complains of a controller that has changed
    requests = [understand(text, parts.model, rewrite=task.config.enhance) for text in task.texts]
    for request in requests:
        _introduce(request, task.vlm, console)
    if task.config.features == "pictures":
        console.print(
            f"Every look is a true picture, which is slow; `anyskill projection train --vlm {task.vlm}` makes a "
            "projection, and --projection FILE spares the pictures."
        )
    lesson = Lesson(folder, task, parts, requests, progress=not console.quiet)
    summary = _first_summary(folder, task, requests)
    seconds = Seconds(setup=time.perf_counter() - begin)

    found = lesson.search()
    if found:
        seconds = replace(seconds, search=sum(one.seconds for one in found))
        stages = {name: fmean(one.stages[name] for one in found) for name in found[0].stages}
        console.print(f"Search: {_values(stages)} ({seconds.search:.0f} s)")
        summary = replace(summary, search=stages, seconds=seconds)
        if not (folder / FILE).exists():  # something to play while training goes on
            lesson.skill(found[0].skill, found=found).save(folder / FILE)
        summary.write(folder)

    trained = lesson.train(found)
    if trained is not None:
        summary = replace(summary, iterations=trained.iterations, converged=trained.converged)
        summary = replace(summary, behind=trained.behind, stopped=trained.stopped)
        if trained.stopped:
            console.print("Stopping; the best so far is kept. Ctrl-C again leaves at once.")
    skill, similarity = lesson.choose(found, trained)
    skill.details["iterations"] = summary.iterations
    skill.save(folder / FILE)
    seconds = replace(seconds, training=lesson.training_seconds())
    summary = replace(summary, similarity=similarity, alarm=lesson.alarm(), seconds=seconds)
    summary.write(folder)
    console.print(f"Similarity: {_values(to_plain(similarity))}")
    if summary.alarm:
        console.print(f"Audit: {summary.alarm}")
    _show(skill, folder, summary, task.config.skill.environment.start, console)
    return skill


def _show(skill: Skill, folder: Path, summary: Summary, start: StartConfig, console: Console) -> None:
    """Film, contact sheet and report."""
    begin = time.perf_counter()
    with console.status("drawing"):
        played = _episodes(skill, summary, start)
        video(played, folder / "video.mp4", summary.text)
        sheet(played, folder / "sheet.png", summary.text, episodes=max(2, min(len(skill.sentences), EPISODES)))
    replace(summary, seconds=replace(summary.seconds, pictures=time.perf_counter() - begin)).write(folder)
    console.print(str(write_report(folder)))


def _episodes(skill: Skill, summary: Summary, start: StartConfig) -> Played:
    """Episodes side by side; of a policy of several sentences, the first ones' in order."""
    shown = [skill.under(sentence.text) for sentence in skill.sentences[:EPISODES]] or [skill]
    each = max(1, EPISODES // len(shown))
    played = [play(one, each, SECONDS, summary.seed, start=start, device=summary.device) for one in shown]
    states = {
        field.name: torch.cat([getattr(one.states, field.name) for one in played], 1) for field in fields(BodyState)
    }
    return Played(played[0].character, BodyState(**states), torch.cat([one.fallen for one in played]))


def _introduce(request: Request, scorer: str, console: Console) -> None:
    """Both forms of a sentence, and what the scorer knows of it."""
    read = f'"{request.description}" ({request.why})' if request.description != request.text else request.why
    console.print(f'"{request.text}": {read}')
    if request.confidence is None:
        console.print(f"{scorer} does not tell how well it knows these words")
    else:
        console.print(f"{scorer}: {request.confidence.sentence}")
        if request.confidence.level == "hardly":
            console.print("What is learnt may be something else: say where each limb is, or name a larger --vlm.")


def _first_summary(folder: Path, task: Task, requests: Sequence[Request]) -> Summary:
    """What is known before anything is learnt."""
    reward = task.config.skill.environment.reward
    levels = ("hardly", "partly", "well")
    known = [request.confidence for request in requests if request.confidence is not None]
    return Summary(
        text="; ".join(request.text for request in requests),
        description="; ".join(request.description for request in requests),
        scorer=task.vlm,
        controller=task.controller or "built in",
        reward=reward.form + ("+velocity" if reward.velocity_weight else ""),
        device=task.device,
        seed=task.seed,
        command=_command(folder),
        version=anyskill.__version__,
        sentences=len(requests),
        confidence=min(known, key=lambda one: levels.index(one.level), default=None),
    )


def _command(folder: Path) -> str:
    """Goes on with a run."""
    return shlex.join(["anyskill", "learn", "--resume", str(folder)])


def _check_same(folder: Path, task: Task) -> None:
    """Refuse to go on with a run of something else."""
    changed = differences(to_plain(_task_of(folder).lasting), to_plain(task.lasting))
    if changed:
        raise SkillError(f"{folder} holds another run: {'; '.join(changed)}. Choose another folder with --out.")


def _task_of(folder: Path) -> Task:
    """What the run in a folder was asked for."""
    run = RunFolder.open(folder)
    try:
        return run.config_as(Task)
    except LearningError as error:
        raise SkillError(
            f"{folder} holds a run, but none of learning a skill ({error}); choose another folder."
        ) from None


def _finished(folder: Path, config: LearnConfig) -> bool:
    """Whether a run has nothing left to do."""
    if not ((folder / SUMMARY).exists() and (folder / FILE).exists() and (folder / "report.html").exists()):
        return False
    summary = Summary.read(folder)
    if summary.similarity.final is None or summary.stopped:
        return False
    helpless = summary.converged or summary.behind
    trained = summary.iterations >= config.iterations or (helpless and config.converge)
    return trained or not config.train


def _values(values: Mapping[str, float | None]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in values.items() if value is not None)


@contextmanager
def _room_to_write(folder: Path) -> Iterator[None]:
    """A full disk, or a folder that may not be written, in one sentence."""
    try:
        yield
    except OSError as error:
        raise SkillError(
            f"{error.filename or folder} cannot be written ({error.strerror or error}); make room, or choose another "
            "folder with --out. Nothing is lost: the same command goes on from the last checkpoint."
        ) from None
