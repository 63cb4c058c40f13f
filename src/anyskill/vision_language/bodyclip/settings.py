"""Settings of BodyCLIP's training, and its stages."""

from dataclasses import dataclass, field
from typing import Literal

from anyskill.learning.config import require
from anyskill.vision_language.bodyclip.towers import TowersConfig

Stage = Literal["states", "sentences", "pictures"]


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of the training."""

    towers: TowersConfig = field(default_factory=TowersConfig)
    """Sizes of the networks."""
    state_iterations: int = 3000
    """Gradient steps of states and claims; 0 leaves out this stage or another, where training begins with a model."""
    sentence_iterations: int = 6400
    """Gradient steps of sentences, which come after."""
    picture_iterations: int = 26000
    """Gradient steps of pictures, which come last."""
    state_batch: int = 1024
    """Moments in an iteration of states."""
    batch: int = 128
    """Moments in an iteration of sentences, and of pictures."""
    synonyms: int = 96
    """Pairs of the phrasebook and its sayings, everyday words and limb language, in an iteration of sentences."""
    lessons: int = 256
    """Sentences of the teacher in an iteration of sentences, if there is one."""
    learning_rate: float = 2e-3
    """Of AdamW, after the warm-up of each stage; then it falls as a cosine, to zero at the stage's end."""
    warm_up: int = 200
    """Iterations over which the learning rate rises."""
    weight_decay: float = 0.02
    """Of matrices."""
    pair_weight: float = 0.5
    """Of the true sentence against the one that differs in one thing, and, where a sentence is about movement, of the
    true body against the same slowed, and against others that move."""
    follow_weight: float = 1.0
    """Of the cosine of a sentence's feature with that of its claims, of a name's with its description's, and of a
    picture's with its state's, beside the contrast with others."""
    synonym_weight: float = 0.2
    """Of the phrasebook."""
    lesson_weight: float = 1.0
    """Of the teacher: of what it thinks of a sentence, and of what it should mean by that."""
    bf16: bool = True
    """Multiply in bfloat16, where the device does so natively."""
    seed: int = 0
    """Of everything random."""

    def __post_init__(self) -> None:
        for name in ("state_iterations", "sentence_iterations", "picture_iterations"):
            require(self, name, getattr(self, name) >= 0, "at least 0")
        for name in ("state_batch", "batch"):
            require(self, name, getattr(self, name) > 1, "at least 2: with one alone there is nothing to tell apart")

    @property
    def stages(self) -> dict[Stage, int]:
        """Iterations of each stage, in order."""
        return {
            "states": self.state_iterations,
            "sentences": self.sentence_iterations,
            "pictures": self.picture_iterations,
        }

    @property
    def iterations(self) -> int:
        """Of all stages."""
        return sum(self.stages.values())

    def stage(self, iteration: int) -> tuple[Stage, int]:
        """The stage of an iteration, and its number in it; what is beyond the end belongs to the last stage."""
        for stage, iterations in self.stages.items():
            if iteration < iterations or stage == "pictures":
                return stage, iteration
            iteration -= iterations
        raise AssertionError
