"""The search's part of a run: one for each sentence, kept in a file as soon as it is done."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from anyskill.learning.seeding import Streams
from anyskill.learning.state import read_state, write_state
from anyskill.sim.engine import make_engine
from anyskill.skill.parts import Parts
from anyskill.skill.policy import LatentSequence
from anyskill.skill.search import LatentSearch
from anyskill.skill.task import Task

FILE = "search.safetensors"


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
        sequence = (state["skill"][name].to(device) for name in ("latents", "starts", "period"))
        best = state["best_latent"].to(device)
        return cls(LatentSequence(*sequence), best, state["stages"], state["seconds"])


def search(
    number: int, text: Float[Tensor, "d"], lying_penalty: float, task: Task, parts: Parts, folder: Path
) -> Searched:
    """Search for a sentence, unless that is done: then read what was found.

    Args:
        number: Of the sentence in its task.
        text: Its feature.
        lying_penalty: See ``SearchConfig``.
        task: Settings and seed.
        parts: Controller and features.
        folder: Of the run.
    """
    path = folder / FILE
    done = read_state(path) if path.exists() else {}
    if str(number) not in done:
        begin = time.perf_counter()
        found = LatentSearch(
            make_engine(task.config.skill.worlds, task.device, parts.controller.skeleton.character),
            parts.controller,
            parts.source,
            text,
            Streams(task.seed)(f"search {number}", task.device),
            replace(task.config.search_settings, lying_penalty=lying_penalty),
        )()
        best = parts.controller.latents[found.ranking[0]]
        done[str(number)] = Searched(found.skill, best, found.stages, time.perf_counter() - begin).state()
        write_state(path, done)
    return Searched.from_state(done[str(number)], task.device)
