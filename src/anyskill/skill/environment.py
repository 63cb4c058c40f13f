"""The worlds of the high-level policy: six decisions a second, each a latent the frozen controller follows."""

from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill.body.observation import policy_observation, policy_size
from anyskill.controller.controller import Controller
from anyskill.learning.config import require
from anyskill.sim.engine import Engine
from anyskill.skill import rewards
from anyskill.skill.errors import SkillError
from anyskill.skill.features import FeatureSource, Onlooker, Sentences
from anyskill.skill.rewards import SCORES, RewardConfig
from anyskill.skill.starts import StartConfig, Starts
from anyskill.skill.termination import LYING, EarlyTermination, SimilarityWatch, head_is_down
from anyskill.vision_language.similarity import cosine

CONTROLS = 5  # control steps (1/30 s) of a decision


@dataclass(frozen=True)
class EnvironmentConfig:
    """Episodes and their reward."""

    episode: int = 150
    """Control steps until time is up: 5 s, enough to get into a pose and to stay; the released code has 50."""
    scored: Literal["step", "decision"] = "step"
    """Whether pictures are looked at after every control step, or once at the end of each decision."""
    start: StartConfig = field(default_factory=StartConfig)
    """Where episodes begin."""
    termination: EarlyTermination = field(default_factory=EarlyTermination)
    """When they end early."""
    reward: RewardConfig = field(default_factory=RewardConfig)
    """What is paid."""

    def __post_init__(self) -> None:
        require(self, "episode", self.episode >= CONTROLS, f"at least {CONTROLS}")
        require(self, "scored", self.scored in ("step", "decision"), "step or decision")


@dataclass(frozen=True)
class Outcome:
    """What a decision led to in each world. Nothing is reset yet."""

    reward: Float[Tensor, "world"]
    similarity: Float[Tensor, "world"]
    """Mean cosine of feature and sentence, whatever the reward's form."""
    style: Float[Tensor, "world"]
    """Closeness of z and ẑ."""
    given_up: Bool[Tensor, "world"]
    """Ends because the similarity kept decreasing."""
    head_down: Bool[Tensor, "world"]
    """Ends because the head was too low."""
    terminated: Bool[Tensor, "world"]
    """Failed, so that nothing more is to come: the head was too low, or the world blew up."""
    done: Bool[Tensor, "world"]
    """Ends for any reason; one that ran out of time or was given up is worth what its last state is worth."""
    lying: Bool[Tensor, "world"]
    """Is down to the neck at the end."""


class SkillEnvironment:
    """Many worlds with one sentence each, stepped by latents.

    Within a decision nothing is reset; what happens at any of its five control steps counts for all of it.

    Args:
        engine: Physics.
        controller: Frozen.
        source: Image features of states.
        sentences: What is to be done; a world draws one anew for each of its episodes.
        generator: Of everything random here, on the engine's device.
        config: Settings.

    Raises:
        SkillError: The parts do not fit each other.
    """

    def __init__(
        self,
        engine: Engine,
        controller: Controller,
        source: FeatureSource,
        sentences: Sentences,
        generator: torch.Generator,
        config: EnvironmentConfig | None = None,
    ) -> None:
        self.engine, self.controller, self.sentences = engine, controller, sentences
        self.generator, self.config = generator, config or EnvironmentConfig()
        _check_fit(engine, controller, source, self.config.reward)
        n, device = engine.num_worlds, engine.device
        self.observation_size = policy_size(engine.skeleton)
        self.starts = Starts(engine, controller, generator, self.config.start)
        self.onlooker = Onlooker(source, engine.state())
        self.watch = SimilarityWatch(self.config.termination, n, device)
        self.sentence = torch.zeros(n, dtype=torch.long, device=device)
        self.fresh = torch.ones(n, dtype=torch.bool, device=device)  # no feature of this episode was seen yet
        dimension = sentences.features.shape[1]
        self.past = torch.zeros(n, self.config.reward.past, dimension, device=device)  # features, newest first
        self.age = torch.zeros(n, dtype=torch.long, device=device)
        self.reset(torch.ones(n, dtype=torch.bool, device=device))
        # First episodes are cut short at random, so that later ones do not all end at once.
        decisions = torch.randint(self.config.episode // CONTROLS, (n,), generator=generator, device=device)
        self.age = CONTROLS * decisions

    def observe(self) -> Float[Tensor, "world observation"]:
        """What the policy sees of the bodies."""
        return policy_observation(self.engine.state())

    @property
    def text(self) -> Float[Tensor, "world d"]:
        """The feature of each world's sentence."""
        return self.sentences.features[self.sentence]

    def step(self, z: Float[Tensor, "world latent"]) -> Outcome:
        """One decision: follow latents of unit length for five control steps."""
        reward = self.config.reward
        text, nobody = self.text, torch.zeros_like(self.fresh)
        similarities, scores, speeds = [], [], []
        given_up = head_down = lost = nobody
        for control in range(CONTROLS):
            lost = lost | self.engine.step(self.controller.act(self.engine.state(), z))
            state = self.engine.state()
            self.onlooker.watch(state, self.fresh if control == 0 else nobody)
            head_down = head_down | head_is_down(state, self.engine.skeleton, self.config.termination.head_height)
            speeds.append(rewards.velocity(state, reward.speed))
            if self.config.scored == "step" or control == CONTROLS - 1:
                self._look()
                similarities.append(cosine(self.past[:, 0], text))
                scores.append(SCORES[reward.form](self.past, text, self.sentences.baseline))
                given_up = given_up | self.watch(similarities[-1], self.generator)
        self.age += CONTROLS
        if reward.nearest:
            target = rewards.nearest(z, self.controller.known)
        else:
            target = rewards.drawn(z, self.controller.latents, self.generator)
        style = rewards.STYLES[reward.closeness](z, target)
        paid = reward.similarity_weight * torch.stack(scores).mean(0) + reward.style_weight * style
        terminated = head_down | lost
        return Outcome(
            reward=paid + reward.velocity_weight * torch.stack(speeds).mean(0),
            similarity=torch.stack(similarities).mean(0),
            style=style,
            given_up=given_up,
            head_down=head_down,
            terminated=terminated,
            done=terminated | given_up | (self.age >= self.config.episode),
            lying=LYING(state, self.engine.skeleton),
        )

    def reset(self, worlds: Bool[Tensor, "world"]) -> None:
        """Begin new episodes in some worlds."""
        ids = worlds.nonzero()[:, 0]
        if not len(ids):
            return
        self.engine.reset(ids, *self.starts.draw(len(ids)))
        self.sentence[ids] = self._draw_sentences(len(ids))
        self.age = torch.where(worlds, 0, self.age)
        self.fresh = self.fresh | worlds
        self.watch.forget(worlds)

    def _look(self) -> None:
        """Take the features of how things are now; a new episode's past is filled with its first."""
        feature = self.onlooker.feature()
        moved = torch.cat((feature[:, None], self.past[:, :-1]), 1)
        self.past = torch.where(self.fresh[:, None, None], feature[:, None], moved)
        self.fresh = torch.zeros_like(self.fresh)

    def _draw_sentences(self, n: int) -> Int[Tensor, "n"]:
        return torch.randint(len(self.sentences), (n,), generator=self.generator, device=self.engine.device)

    def state_dict(self) -> dict[str, Any]:
        """All that the worlds' future depends on, beside the generator and what the constructor is given."""
        return {
            "age": self.age,
            "sentence": self.sentence,
            "fresh": self.fresh,
            "past": self.past,
            "watch": self.watch.state_dict(),
            "starts": self.starts.state_dict(),
            "onlooker": self.onlooker.state_dict(),
            "engine": self.engine.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        for name in ("age", "sentence", "fresh", "past"):
            getattr(self, name).copy_(state[name])
        self.watch.load_state_dict(state["watch"])
        self.starts.load_state_dict(state["starts"])
        self.onlooker.load_state_dict(state["onlooker"])
        self.engine.load_state_dict(state["engine"])


def _check_fit(engine: Engine, controller: Controller, source: FeatureSource, reward: RewardConfig) -> None:
    ours, theirs = engine.skeleton.character.name, controller.config.character
    if ours != theirs:
        raise SkillError(f"the controller moves a {theirs}, but the world holds a {ours}; take one that fits.")
    if reward.form == "video" and source.frames == 1:
        raise SkillError("the reward video needs a model that looks at several pictures, and this one looks at one.")
