"""Stand-ins for learning and evaluating, in no time."""

from pathlib import Path
from typing import Any

from anyskill.evaluate.ablations import Case, Made, Result, Settings
from anyskill.evaluate.score import Score
from anyskill.evaluate.suite import Sentence
from anyskill.skill.play import Playable
from tests.skill.made_up import Puppet

SETTINGS = Settings(1.0, 8, "bodyclip", None, "built in", "built in", "cpu")
SENTENCES = tuple(
    Sentence(text, group, 0.0, "standing")
    for text, group in (("raise both arms", "arms"), ("walk forward", "legs"), ("bow", "trunk"))
)


def result(
    variant: str,
    sentence: Sentence,
    seed: int,
    success: float,
    clip_s: float = 25.0,
    fall: float = 0.0,
    seconds: float = 59.6,
    heldout: float | None = None,
) -> Result:
    """A line of results."""
    return Result(*Case(variant, sentence, seed).key, success, clip_s, fall, seconds, heldout)


class Still:
    """Follows one latent; remembers for which case it was made."""

    def __init__(self, case: Case) -> None:
        self.case, self.controller = case, Puppet()

    def policy(self, state: Any, decision: int) -> Any:
        return self.controller.latents[:1].expand(state.batch_shape[0], -1)


class Learner:
    """A recipe that notes what it was asked for."""

    def __init__(self, seconds: float = 10.0) -> None:
        self.seconds = seconds
        self.asked: list[tuple[str, str, int]] = []
        self.folders: list[Path] = []

    def __call__(self, case: Case, folder: Path) -> Made:
        self.asked.append(case.key)
        self.folders.append(folder)
        return Made(Still(case), self.seconds)


def measure(case: Case, skill: Playable) -> Score:
    """Success grows with the length of the variant's name, a little with the seed."""
    assert isinstance(skill, Still)
    assert skill.case == case
    return Score(
        case.sentence.text,
        episodes=8,
        success=len(case.variant) / 20 + case.seed / 100,
        low=0.0,
        high=1.0,
        clip_s=20.0 + len(case.sentence.text),
        clip_s_heldout=None,
        fall=0.125,
        jerk=0.0,
        sliding=0.0,
        penetration=0.0,
        energy=0.0,
    )
