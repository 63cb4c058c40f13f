"""Learning a skill: PPO over the latents of a frozen controller (AnySkill, section 3.2 and Algorithm 1)."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from anyskill.controller.controller import Controller
from anyskill.learning import distributed
from anyskill.learning.actor_critic import ActorCritic
from anyskill.learning.config import require
from anyskill.learning.ppo import PPO, PPOConfig
from anyskill.learning.progress import PhaseTimer
from anyskill.learning.rollout import Batch, Rollout
from anyskill.learning.seeding import Streams
from anyskill.learning.state import Stateful
from anyskill.sim.engine import Engine
from anyskill.skill.environment import CONTROLS, EnvironmentConfig, Outcome, SkillEnvironment
from anyskill.skill.features import FeatureSource, ProjectionAudit, Sentences
from anyskill.skill.plans import Plans
from anyskill.skill.policy import PolicySkill, make_actor_critic, text_input, to_latent
from anyskill.skill.rewards import RewardConfig
from anyskill.skill.starts import StartConfig
from anyskill.skill.termination import EarlyTermination


@dataclass(frozen=True)
class ConvergenceConfig:
    """Training may stop when the similarity, averaged over a window, has not risen for a while."""

    window: int = 10
    """Iterations the similarity is averaged over."""
    margin: float = 0.002
    """By how much an average must exceed the best before to count as a rise."""
    patience: int = 40
    """Iterations without a rise after which training has converged."""

    def __post_init__(self) -> None:
        for name in ("window", "patience"):
            require(self, name, getattr(self, name) >= 1, "at least 1")


class Convergence:
    """Follows the similarity of each iteration."""

    def __init__(self, config: ConvergenceConfig) -> None:
        self.config = config
        self.iterations = 0
        self.best = -float("inf")
        self._reached = -float("inf")  # the level from which a rise is counted
        self._since = 0
        self._recent: list[float] = []

    def update(self, similarity: float) -> bool:
        """Take an iteration's mean similarity; whether the average over the window is the best so far."""
        self._recent = [*self._recent, similarity][-self.config.window :]
        self.iterations += 1
        self._since += 1
        if len(self._recent) < self.config.window:
            return False
        average = sum(self._recent) / len(self._recent)
        if average > self._reached + self.config.margin:
            self._reached, self._since = average, 0
        improved = average > self.best
        self.best = max(self.best, average)
        return improved

    @property
    def converged(self) -> bool:
        """Whether there was no rise for long enough."""
        return self._since >= self.config.patience and len(self._recent) == self.config.window

    def state_dict(self) -> dict[str, Any]:
        """What is known so far; JSON has no infinity, so that levels not reached yet are left out."""
        levels = {"best": self.best, "reached": self._reached} if self.best > -float("inf") else {}
        return {"iterations": self.iterations, "recent": self._recent, "since": self._since} | levels

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.iterations, self._since, self._recent = state["iterations"], state["since"], list(state["recent"])
        self.best, self._reached = state.get("best", -float("inf")), state.get("reached", -float("inf"))


@dataclass(frozen=True)
class SkillConfig:
    """Settings of learning a skill; the defaults suit two CPU cores."""

    worlds: int = 256
    """Simulated side by side."""
    horizon: int = 8
    """Decisions (1/6 s) of each world in an iteration."""
    units: tuple[int, ...] = (256, 128)
    """Hidden layers of policy and value."""
    log_sigma: float = -2.3
    """Logarithm of the standard deviation of actions, before they are normalised."""
    bf16: bool = False
    """Multiply in bfloat16, where the device does so natively."""
    seed: int = 0
    """Of everything random."""
    environment: EnvironmentConfig = field(default_factory=EnvironmentConfig)
    """Episodes and reward."""
    ppo: PPOConfig = field(
        default_factory=lambda: PPOConfig(
            # Actions have 64 dimensions, and only their direction counts: a policy must go far in an update, or it
            # takes hundreds to turn around, and by the gradient of many samples, or it goes anywhere.
            learning_rate=5e-5,
            value_learning_rate=1e-3,
            discount=0.8,  # what is followed shows within a second
            clip=0.4,
            epochs=4,
            minibatch_size=1024,
            kl_target=0.5,
            warm_up=3,  # or what a search has found is forgotten before values are known
            max_grad_norm=1.0,
        )
    )
    """The optimiser."""
    convergence: ConvergenceConfig = field(default_factory=ConvergenceConfig)
    """When to stop."""


PAPER_ITERATIONS = 500


def paper() -> SkillConfig:
    """The paper's recipe, Eq. 3 with a drawn ẑ; what it does not say is as in the released code.

    500 iterations are its 10.24 million control steps. It starts from the initial pose alone.
    """
    reward = RewardConfig(similarity_weight=0.4, style_weight=0.4, nearest=False)
    return SkillConfig(
        worlds=1024,
        horizon=4,
        units=(1024, 512),
        environment=EnvironmentConfig(episode=50, start=StartConfig(noise=0.0, moving=0.0), reward=reward),
        ppo=PPOConfig(minibatch_size=2048),
    )


def as_released() -> SkillConfig:
    """The authors' released code where it departs from the paper: what it pays, and what ends an episode.

    Its style term is the cosine to the nearest latent of all clips, and no decrease of the similarity ever ends an
    episode. Of its other departures, pictures that are not normalised and a camera that stands too far away and does
    not follow are not repeated: they belong to the image-text model.
    """
    config = paper()
    reward = RewardConfig(similarity_weight=0.4, style_weight=0.4, nearest=True, closeness="cosine")
    environment = replace(config.environment, reward=reward, termination=EarlyTermination(decreases=None))
    return replace(config, environment=environment)


class SkillTraining:
    """``Trainer`` of one skill, or, given several sentences, of one policy that is told which.

    Args:
        config: Settings; ``config.worlds`` is the engine's.
        engine: Physics.
        controller: Frozen.
        source: Image features of states.
        sentences: What is to be done.
        guides: What is followed under each sentence, as which the policy begins; None for one that begins with nothing.
        audit: Compares the source with true pictures now and then.
    """

    def __init__(
        self,
        config: SkillConfig,
        engine: Engine,
        controller: Controller,
        source: FeatureSource,
        sentences: Sentences,
        guides: Plans | None = None,
        audit: ProjectionAudit | None = None,
    ) -> None:
        self.config, self.guides, self.audit = config, guides, audit
        self.streams = Streams(config.seed, rank=distributed.rank())
        device = engine.device
        self.timer = PhaseTimer(device)
        self.environment = SkillEnvironment(
            engine, controller, source, sentences, self.streams("environment", device), config.environment
        )
        self.conditioned = len(sentences) > 1
        self.model = make_actor_critic(
            self.environment.observation_size,
            sentences.features.shape[1] if self.conditioned else 0,
            controller.config.latent,
            config.units,
            config.log_sigma,
            self.streams("weights", "cpu"),
            guided=guides is not None,
            bf16=config.bf16,
        ).to(device)
        # Not a method: in a circle of references, hundreds of megabytes of worlds would outlive the training.
        evaluate = partial(_evaluate, self.model)
        self.ppo = PPO(config.ppo, self.model, self.streams("minibatches", device), evaluate=evaluate)
        self.best = copy.deepcopy(self.model)
        self.rollout = Rollout(config.horizon)
        self.convergence = Convergence(config.convergence)

    def skill(self, sentence: int = 0) -> PolicySkill:
        """The best policy so far, under one of the sentences."""
        text = self.environment.sentences.features[sentence] if self.conditioned else None
        guide = None if self.guides is None else self.guides.skill(sentence)
        return PolicySkill(copy.deepcopy(self.best), text, guide)

    @property
    def converged(self) -> bool:
        """Whether more training would not help."""
        return self.convergence.converged

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """See ``Trainer.parts``."""
        return {
            "model": self.model,
            "best": self.best,
            "ppo": self.ppo,
            "environment": self.environment,
            "convergence": self.convergence,
            "streams": self.streams,
            **({} if self.audit is None else self.audit.parts),
        }

    def iterate(self) -> tuple[int, dict[str, float]]:
        """See ``Trainer.iterate``; samples are decisions."""
        environment, rollout = self.environment, self.rollout
        generator = self.streams("actions", environment.engine.device)
        outcomes = []
        for step in range(self.config.horizon):
            with self.timer("policy"):
                observation = environment.observe()
                told = self._told()
                decision = self.model.act(observation, *told.values(), generator=generator)
            with self.timer("world"):
                outcome = environment.step(to_latent(decision["action"]))
            outcomes.append(outcome)
            with self.timer("policy"):
                decision["next_value"] = self.model.value(environment.observe(), *self._told().values())
            rollout.store(
                step,
                observation=observation,
                reward=outcome.reward,
                done=outcome.done,
                terminated=outcome.terminated,
                **decision,
                **told,
            )
            with self.timer("world"):
                environment.reset(outcome.done)
        metrics = _metrics(outcomes)
        if self.convergence.update(metrics["similarity"]):
            self.best.load_state_dict(self.model.state_dict())
        if self.convergence.best > -float("inf"):
            metrics["best"] = self.convergence.best
        with self.timer("update"):
            batch = rollout.finish(self.config.ppo.discount, self.config.ppo.gae_lambda)
            metrics |= self.ppo.update(batch)
        if self.audit is not None:
            with self.timer("audit"):
                metrics |= self.audit(
                    self.convergence.iterations, environment.onlooker.states, self.streams("audit", generator.device)
                )
        return self.config.horizon * environment.engine.num_worlds, metrics

    def _told(self) -> dict[str, Tensor]:
        """The policy's further inputs: the sentence in force, if there are several, and what is to be followed now."""
        environment = self.environment
        told = {"text": text_input(environment.text)} if self.conditioned else {}
        if self.guides is not None:
            told["guide"] = self.guides[environment.sentence].at(environment.age // CONTROLS)
        return told


def _evaluate(model: ActorCritic, minibatch: Batch) -> tuple[Tensor, Tensor]:
    told = (minibatch[name] for name in ("text", "guide") if name in minibatch)
    return model(minibatch["observation"], *told)


def _metrics(outcomes: list[Outcome]) -> dict[str, float]:
    """Means over worlds and decisions; ``early/…`` and ``episodes`` are counts of episodes that ended."""
    all_of = {f.name: torch.stack([getattr(outcome, f.name) for outcome in outcomes]) for f in fields(Outcome)}
    means = {name: float(all_of[name].float().mean()) for name in ("similarity", "style", "reward", "lying")}
    episodes = int(all_of["done"].sum())
    return means | {
        "episodes": episodes,
        "falls": int(all_of["terminated"].sum()) / max(episodes, 1),
        "early/similarity": int(all_of["given_up"].sum()),
        "early/head": int(all_of["head_down"].sum()),
    }
