"""Evaluating what ``anyskill learn`` has left in a folder."""

from dataclasses import replace
from pathlib import Path

from anyskill.controller.controller import Controller
from anyskill.evaluate.errors import EvaluationError
from anyskill.evaluate.score import EPISODES, Score, evaluate
from anyskill.evaluate.suite import Sentence
from anyskill.learning.run_folder import RunFolder
from anyskill.learning.state import read_state
from anyskill.skill import searched
from anyskill.skill.policy import LatentSequence
from anyskill.skill.request import slug, tell
from anyskill.skill.skill import Skill
from anyskill.skill.summary import Summary
from anyskill.skill.task import Task
from anyskill.vision_language.model import load_model


def evaluate_run(
    run: Path,
    suite: list[Sentence],
    *,
    texts: tuple[str, ...] = (),
    episodes: int = EPISODES,
    seed: int = 0,
    heldout: str | None = None,
    controller: Path | None = None,
    device: str = "cpu",
) -> list[Score]:
    """Score a skill by the suite's test of its sentence, or of each of its sentences.

    Args:
        run: Folder of the run.
        suite: Holds the tests.
        texts: For a policy of several sentences: which, also ones that it was not trained on; by default all of its
            own.
        episodes: New ones.
        seed: Of where they begin.
        heldout: Name of an image-text model that had no part in learning, for a second CLIP-S.
        controller: File of the one the skill was learnt on; by default the one it remembers.
        device: cpu or cuda.

    Raises:
        EvaluationError: The suite has no test for a sentence.
        SkillError: There is no finished skill in the folder.
    """
    summary, task = Summary.read(run), RunFolder.open(run).config_as(Task)
    skill = Skill.load(run, None if controller is None else Controller.load(controller, device), device)
    if texts and not skill.sentences:
        raise EvaluationError(f'{run} holds a skill of one sentence, "{skill.text}"; leave out --texts.')
    wanted = texts or tuple(each.text for each in skill.sentences) or (skill.text,)
    sentences = [_test_of(text, suite) for text in wanted]
    model = load_model(task.vlm, device)
    other = None if heldout is None else load_model(heldout, device)
    scores = []
    for text, sentence in zip(wanted, sentences, strict=True):
        if skill.sentences:
            skill = tell(skill, text, lambda: model, rewrite=task.config.enhance)
        score = evaluate(skill, sentence, episodes, seed=seed, model=model, heldout=other)
        scores.append(replace(score, seconds=learning_time(summary)))
    return scores


def learning_time(summary: Summary) -> float:
    """Wall time of a run's stages but for its pictures (s)."""
    return summary.seconds.setup + summary.seconds.search + summary.seconds.training


def best_latent(run: Path, controller: Controller) -> Skill | None:
    """The single latent of the bank that suited the sentence best in the run's search, held; None without a search."""
    path = run / searched.FILE
    if not path.exists():
        return None
    device = str(controller.latents.device)
    latent = searched.Searched.from_state(read_state(path), device).best_latent
    held = LatentSequence.hold(latent)
    return Skill("best latent of the bank", "best latent of the bank", controller, held)


def _test_of(text: str, suite: list[Sentence]) -> Sentence:
    """The suite's sentence of that wording; case and punctuation do not matter."""
    for sentence in suite:
        if slug(sentence.text) == slug(text):
            return sentence
    raise EvaluationError(
        f'the suite has no test for "{text}"; write one into a file of the form of anyskill/assets/benchmark.yaml and '
        "give it with --suite FILE."
    )
