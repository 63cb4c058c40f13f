"""The search's part of a run, kept in a file as soon as it is done: of one sentence, or a repertoire for several."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from anyskill.learning.seeding import Streams
from anyskill.learning.state import read_state, write_state
from anyskill.sim.engine import Engine, make_engine
from anyskill.skill.parts import Parts
from anyskill.skill.policy import LatentSequence
from anyskill.skill.repertoire import Repertoire
from anyskill.skill.search import LatentSearch
from anyskill.skill.task import Task
from anyskill.skill.trials import Tryout

FILE, REPERTOIRE = "search.safetensors", "repertoire.safetensors"


@dataclass(frozen=True)
class Searched:
    """What is kept of ``Found``."""

    skill: LatentSequence
    best_latent: Float[Tensor, "latent"]
    """The one of the bank that suited best."""
    stages: dict[str, float]
    """Best score of each stage."""
    seconds: float

    def state(self) -> dict[str, Any]:
        """For a state file."""
        return {
            "best_latent": self.best_latent,
            "stages": self.stages,
            "seconds": self.seconds,
            "skill": self.skill.state_dict(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], device: str) -> "Searched":
        """From a state file."""
        skill, best = LatentSequence.from_state(state["skill"]).to(device), state["best_latent"].to(device)
        return cls(skill, best, state["stages"], state["seconds"])


def search(text: Float[Tensor, "d"], lying_penalty: float, task: Task, parts: Parts, folder: Path) -> Searched:
    """Search for the only sentence of a task, unless that is done: then read what was found.

    Args:
        text: Its feature.
        lying_penalty: See ``SearchConfig``.
        task: Settings and seed.
        parts: Controller and features.
        folder: Of the run.
    """
    path = folder / FILE
    if not path.exists():
        begin = time.perf_counter()
        found = LatentSearch(
            _engine(task, parts),
            parts.controller,
            parts.source,
            text,
            Streams(task.seed)("search", task.device),
            replace(task.config.search_settings, lying_penalty=lying_penalty),
        )()
        best = parts.controller.latents[found.ranking[0]]
        write_state(path, Searched(found.skill, best, found.stages, time.perf_counter() - begin).state())
    return Searched.from_state(read_state(path), task.device)


def repertoire(task: Task, parts: Parts, folder: Path) -> tuple[Repertoire, float]:
    """What a controller can do, for a task of several sentences, and the seconds it took to try it.

    It is read if it was tried before. Arguments are as of ``search``.
    """
    path = folder / REPERTOIRE
    if not path.exists():
        begin, config = time.perf_counter(), task.config.search_settings
        generator = Streams(task.seed)("search", task.device)
        tryout = Tryout(_engine(task, parts), parts.controller, parts.source, generator, config.start)
        tried = Repertoire.of(tryout, parts.controller, config)
        write_state(path, {"repertoire": tried.state(), "seconds": time.perf_counter() - begin})
    state = read_state(path)  # even if it was just written: in half precision, as a run that goes on will find it
    return Repertoire.from_state(state["repertoire"], task.device), state["seconds"]


def looked_up(known: Repertoire, text: Float[Tensor, "d"], seconds: float, *, low: bool) -> Searched:
    """What a repertoire has for a sentence; ``seconds`` are its share of the time that trying took."""
    scores = known.scores(text, low=low)
    held, clips = scores[: known.held], scores[known.held :]
    stages = {"bank": float(held.max())} | ({"clips": float(clips.max())} if len(clips) else {})
    best = known.plans.latents[int(held.argmax()), 0]
    return Searched(known.plans.skill(int(scores.argmax())), best, stages, seconds)


def _engine(task: Task, parts: Parts) -> Engine:
    return make_engine(task.config.search_settings.worlds, task.device, parts.controller.skeleton.character)
