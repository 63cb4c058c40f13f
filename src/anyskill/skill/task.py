"""What a run is asked for: the contents of its ``config.yaml``."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from anyskill.learning.config import require
from anyskill.skill.environment import EnvironmentConfig
from anyskill.skill.errors import SkillError
from anyskill.skill.rewards import RewardConfig
from anyskill.skill.search import SearchConfig
from anyskill.skill.starts import StartConfig
from anyskill.skill.termination import EarlyTermination
from anyskill.skill.training import PAPER_ITERATIONS, ConvergenceConfig, SkillConfig, as_released, paper
from anyskill.vision_language.picture_features import Views
from anyskill.vision_language.projection_audit import AuditConfig

Features = Literal["projection", "pictures"]
Preset = Literal["fast", "paper", "as-released"]
PRESETS: tuple[Preset, ...] = ("fast", "paper", "as-released")


def fast() -> SkillConfig:
    """PPO for two CPU cores: an iteration is 10 240 control steps, one to two seconds."""
    # Six looks a second are enough to see what a body does, and each costs as much as a control step.
    # Under a smaller weight of style, policies leave the clip that a search has found, to tremble halfway through it.
    environment = EnvironmentConfig(scored="decision", reward=RewardConfig(style_weight=SearchConfig().style_weight))
    return SkillConfig(environment=environment, convergence=ConvergenceConfig(margin=0.005, patience=15))


@dataclass(frozen=True)
class LearnConfig:
    """How a sentence becomes a skill; the defaults take four minutes on two CPU cores, most of them PPO's."""

    enhance: bool = True
    """Whether the phrasebook may say the sentence limb by limb."""
    search: bool = True
    """Whether latents are searched first; what is found is a skill, and where PPO begins."""
    train: bool = True
    """Whether PPO follows."""
    features: Features = "projection"
    """Where features come from while a skill is learnt: predicted from the state, or taken from true pictures."""
    views: Views = field(default_factory=lambda: Views(count=1, size=224))
    """Of true pictures, where features come from them; the paper has one camera."""
    iterations: int = 60
    """Of PPO at most, all starts of a run together."""
    minutes: float | None = None
    """Of search and PPO, from each start of a run, after which PPO ends; None has no such limit."""
    converge: bool = True
    """Whether PPO ends as soon as the similarity no longer rises, or after its ``trial``."""
    trial: int = 30
    """Iterations after which PPO ends if its policy is still less similar than what the search has found."""
    lying: bool | None = None
    """Whether to lie down is no failure; None lets the sentence decide."""
    skill: SkillConfig = field(default_factory=fast)
    """PPO and its worlds; its seed is the run's."""
    search_settings: SearchConfig = field(default_factory=SearchConfig)
    """The search."""
    # Where the skills of the benchmark were right, a cosine of 0.84 and a rank correlation of 0.73 were the least.
    audit: AuditConfig = field(default_factory=lambda: AuditConfig(every=30, states=64, cosine=0.8, spearman=0.7))
    """How often a projection is held against true pictures, and when the two no longer agree."""
    episodes: int = 64
    """New ones in which random latents, the best of the bank, the search's find and the policy are compared."""

    def __post_init__(self) -> None:
        require(self, "features", self.features in ("projection", "pictures"), "projection or pictures")
        require(self, "train", self.train or self.search, "on where the search is off, or there is nothing to do")
        for name in ("iterations", "trial", "episodes"):
            require(self, name, getattr(self, name) >= 1, "at least 1")
        require(self, "minutes", self.minutes is None or self.minutes > 0, "more than 0, or none")

    def rewarded(self, name: str) -> "LearnConfig":
        """The same under another reward: ``cosine``, ``vlm-rm``, ``clip-s``, ``avgpool``, ``video``, ``+velocity``.

        Raises:
            SkillError: There is no such reward.
        """
        return self._in(replace(self.skill.environment, reward=self.skill.environment.reward.named(name)))

    def without_search(self) -> "LearnConfig":
        """The same by PPO from nothing: it has nothing to forget, so that an update may go further.

        A larger weight of style would tie it to whatever latent is nearest.
        """
        if not self.search:
            return self
        environment, ppo = self.skill.environment, replace(self.skill.ppo, kl_target=1.0)
        reward = replace(environment.reward, style_weight=RewardConfig().style_weight)
        skill = replace(self.skill, environment=replace(environment, reward=reward), ppo=ppo)
        return replace(self, skill=skill, search=False)

    def without_early_termination(self) -> "LearnConfig":
        """The same with both rules of Algorithm 1 switched off."""
        never = EarlyTermination(decreases=None, head_height=0.0)
        return self._in(replace(self.skill.environment, termination=never))

    def _in(self, environment: EnvironmentConfig) -> "LearnConfig":
        return replace(self, skill=replace(self.skill, environment=environment))


def preset(name: Preset = "fast", features: Features = "projection") -> LearnConfig:
    """Settings by name: ``fast`` for two cores, ``paper`` and ``as-released`` for comparisons with the original.

    Args:
        name: Which.
        features: Where features come from. A picture costs a thousand times a prediction, so that ``fast`` then looks
            at fewer worlds and less often; the other two stay as published.

    Raises:
        SkillError: There is no such preset.
    """
    if name == "fast":
        if features == "projection":
            return LearnConfig()
        skill = fast()
        skill = replace(skill, worlds=32, horizon=16, ppo=replace(skill.ppo, minibatch_size=256))
        search = SearchConfig(worlds=64, decisions=12, tail=4, final=12, rounds=0, sequences=False, clips=False)
        return LearnConfig(features=features, skill=skill, search_settings=search, episodes=16)
    if name not in PRESETS:
        raise SkillError(f"there is no preset {name}; take {', '.join(PRESETS)}.")
    return LearnConfig(
        search=False,
        features=features,
        iterations=PAPER_ITERATIONS,
        converge=False,
        lying=False,
        skill=paper() if name == "paper" else as_released(),
        search_settings=SearchConfig(start=StartConfig(noise=0.0, moving=0.0)),
    )


@dataclass(frozen=True)
class Task:
    """Everything a run depends on; equal tasks on a CPU make equal skills."""

    texts: tuple[str, ...]
    vlm: str
    """Name of the image-text model."""
    controller: str | None
    """Its file; None is the one that comes with the package."""
    projection: str | None
    """Its file; None is the one that comes with the package."""
    device: str
    seed: int
    config: LearnConfig

    def __post_init__(self) -> None:
        if not self.texts:
            raise SkillError("there is no sentence; say what the body is to do, such as: raise both arms.")

    @classmethod
    def of(
        cls,
        text: str | Sequence[str],
        vlm: str,
        controller: Path | str | None,
        projection: Path | str | None,
        device: object,
        seed: int,
        config: LearnConfig,
    ) -> "Task":
        """From what ``learn`` is given; paths become absolute, so that a run can go on from anywhere."""
        return cls(
            (text,) if isinstance(text, str) else tuple(text),
            vlm,
            None if controller is None else str(Path(controller).expanduser().resolve()),
            None if projection is None else str(Path(projection).expanduser().resolve()),
            str(device),
            seed,
            replace(config, skill=replace(config.skill, seed=seed)),
        )

    @property
    def lasting(self) -> "Task":
        """All that must stay the same while a run goes on: everything but its budget."""
        return replace(self, config=replace(self.config, iterations=1, minutes=None, converge=True))
