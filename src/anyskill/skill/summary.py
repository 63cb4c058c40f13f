"""``summary.json``: what became of a sentence, for people and programs that do not want the whole run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from anyskill.files import write_atomically
from anyskill.learning.config import from_plain, require, to_plain
from anyskill.learning.errors import LearningError
from anyskill.skill.errors import SkillError

FILE = "summary.json"
Level = Literal["well", "partly", "hardly"]


@dataclass(frozen=True)
class Confidence:
    """What the scorer knows of the sentence's words."""

    level: Level
    sentence: str
    """The same for people, with advice where it is needed."""

    def __post_init__(self) -> None:
        require(self, "level", self.level in get_args(Level), f"one of {', '.join(get_args(Level))}")


@dataclass(frozen=True)
class Similarity:
    """Mean cosine of the body's and the sentence's features, by how latents are chosen; None where it was not tried."""

    random: float | None = None
    """Latents drawn from the bank."""
    best_latent: float | None = None
    """The one latent of the bank that suits best, held."""
    search: float | None = None
    """What search has found."""
    final: float | None = None
    """The skill that is kept."""


@dataclass(frozen=True)
class Seconds:
    """Wall time of each stage; 0 for those that did not take place."""

    setup: float = 0.0
    search: float = 0.0
    training: float = 0.0
    pictures: float = 0.0
    """The film and the contact sheet."""


@dataclass(frozen=True)
class Summary:
    """A run in a few lines. What is not known yet keeps its default: a run may be stopped at any time."""

    text: str
    """As the person typed it; several sentences of one policy stand behind each other."""
    description: str
    """The form that was encoded; may be the same."""
    scorer: str
    """The image-text model's name."""
    controller: str
    """Its file or name."""
    reward: str
    """Form of the reward, as in ``RewardConfig.named``."""
    device: str
    seed: int
    command: str
    """Goes on from here."""
    version: str
    """Of this package."""
    sentences: int = 1
    """Told to one policy; similarities are means over them."""
    confidence: Confidence | None = None
    """None where the scorer cannot tell."""
    similarity: Similarity = field(default_factory=Similarity)
    search: Mapping[str, float] = field(default_factory=dict)
    """Best score by stage, as in ``Found.stages``; empty without a search."""
    iterations: int = 0
    """Of training."""
    converged: bool = False
    """Whether training ended because the similarity no longer rose."""
    behind: bool = False
    """Whether it ended because the policy fell short of what the search had found."""
    stopped: bool = False
    """Whether the person ended it."""
    seconds: Seconds = field(default_factory=Seconds)
    alarm: str | None = None
    """What the last audit of the projection against true pictures complains of; None if it does not."""

    def write(self, folder: Path) -> Path:
        """Write ``summary.json`` into a run folder; returns its path."""
        path = folder / FILE
        with write_atomically(path) as file:
            file.write((json.dumps(to_plain(self), indent=2, ensure_ascii=False) + "\n").encode())
        return path

    @classmethod
    def read(cls, folder: Path) -> "Summary":
        """Read what ``write`` wrote.

        Raises:
            SkillError: There is none, or it is damaged.
        """
        path = folder / FILE
        try:
            plain = json.loads(path.read_text("utf-8"))
            if not isinstance(plain, dict):
                raise LearningError("it is no mapping.")
            return from_plain(cls, plain)
        except FileNotFoundError:
            raise SkillError(f"{folder} holds no finished skill: there is no {FILE}; go on with its run.") from None
        except (ValueError, LearningError) as error:
            raise SkillError(f"{path} cannot be read ({error}); learn the skill again or go on with its run.") from None
