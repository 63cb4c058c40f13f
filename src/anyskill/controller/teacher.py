"""Training the student's teachers: PPO on the tracking task and on the rising task."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill.controller.controller import ControllerError
from anyskill.controller.rising import RisingConfig, RisingTask
from anyskill.controller.tracking import TrackingConfig, TrackingTask
from anyskill.learning import distributed
from anyskill.learning.actor_critic import ActorCritic
from anyskill.learning.networks import MLP, GaussianPolicy, Value
from anyskill.learning.ppo import PPO, PPOConfig
from anyskill.learning.progress import PhaseTimer
from anyskill.learning.rollout import Rollout
from anyskill.learning.seeding import Streams
from anyskill.learning.state import State, Stateful
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import Engine


@dataclass(frozen=True)
class TeacherConfig:
    """Settings of the teacher; the defaults suit two CPU cores."""

    worlds: int = 1024
    """Simulated side by side."""
    horizon: int = 16
    """Control steps of each world in an iteration."""
    units: tuple[int, ...] = (512, 256)
    """Hidden layers of policy and value."""
    log_sigma: float = -2.0
    """Logarithm of the standard deviation of actions."""
    bf16: bool = True
    """Multiply in bfloat16, where the device does so natively."""
    seed: int = 0
    """Of everything random."""
    task: Literal["tracking", "rising"] = "tracking"
    """What is learnt."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """Used by ``tracking`` alone."""
    rising: RisingConfig = field(default_factory=RisingConfig)
    """Used by ``rising`` alone."""
    ppo: PPOConfig = field(
        default_factory=lambda: PPOConfig(
            learning_rate=1e-4,
            value_learning_rate=3e-4,
            discount=0.97,
            epochs=3,
            minibatch_size=4096,
            bound_weight=1.0,
            kl_target=0.02,
            max_grad_norm=1.0,
        )
    )
    """The optimiser."""


def rising_teacher() -> TeacherConfig:
    """Settings to learn to stand up with: a smaller network, and more noise, since no reference shows the way."""
    config = TeacherConfig()
    ppo = replace(config.ppo, discount=0.98, epochs=4, value_learning_rate=3e-4, kl_target=0.03)
    return replace(config, task="rising", units=(512, 256), log_sigma=-2.3, ppo=ppo)


class Task(Stateful, Protocol):
    """What a teacher learns."""

    engine: Engine
    observation_size: int
    num_actions: int

    def observe(self) -> Float[Tensor, "world observation"]:
        """What the policy sees."""

    def targets(self, action: Float[Tensor, "world dof"]) -> Float[Tensor, "world dof"]:
        """PD targets (rad) of actions."""

    def step(
        self, targets: Float[Tensor, "world dof"]
    ) -> tuple[Float[Tensor, "world"], Bool[Tensor, "world"], Bool[Tensor, "world"]]:
        """One control step: reward, worlds that failed, worlds whose time is up. Neither is reset yet."""

    def reset(self, mask: Bool[Tensor, "world"]) -> None:
        """Begin anew, or go on, in some worlds."""

    def report(self) -> dict[str, float]:
        """How well it goes."""


class Teacher:
    """``Trainer`` of a policy that follows clips frame by frame, or stands up."""

    def __init__(self, config: TeacherConfig, engine: Engine, library: MotionLibrary) -> None:
        self.config = config
        self.streams = Streams(config.seed, rank=distributed.rank())
        self.timer = PhaseTimer(engine.device)
        draws = self.streams("task", engine.device)
        self.task: Task = (
            TrackingTask(engine, library, draws, config.tracking)
            if config.task == "tracking"
            else RisingTask(engine, library, draws, config.rising)
        )
        size, weights = self.task.observation_size, self.streams("weights", "cpu")
        policy = GaussianPolicy(
            MLP(size, config.units, weights, bf16=config.bf16), self.task.num_actions, config.log_sigma, weights
        )
        critic = Value(MLP(size, config.units, weights, bf16=config.bf16), weights)
        with torch.no_grad():
            policy.head.weight *= 0.01  # no correction at first: the reference pose is a good target already
        self.model = ActorCritic(policy, critic, size).to(engine.device)
        self.ppo = PPO(config.ppo, self.model, self.streams("minibatches", engine.device))
        self.rollout = Rollout(config.horizon)

    def begin_with(self, networks: State) -> None:
        """Start from what an earlier teacher of the same task has learnt.

        Raises:
            ControllerError: It has other sizes.
        """
        try:
            self.model.load_state_dict(networks)
        except RuntimeError:
            raise ControllerError(
                f"the {self.config.task} teacher to start from has other sizes than one with units {self.config.units}."
            ) from None

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """See ``Trainer.parts``."""
        return {"model": self.model, "ppo": self.ppo, "task": self.task, "streams": self.streams}

    def iterate(self) -> tuple[int, dict[str, float]]:
        """See ``Trainer.iterate``."""
        task, generator = self.task, self.streams("actions", self.task.engine.device)
        failures = ends = torch.zeros((), dtype=torch.long, device=task.engine.device)
        for step in range(self.config.horizon):
            with self.timer("networks"):
                observation = task.observe()
                decision = self.model.act(observation, generator=generator)
            with self.timer("physics"):
                reward, failed, finished = task.step(task.targets(decision["action"]))
            with self.timer("networks"):
                next_value = self.model.value(task.observe())
            done = failed | finished
            self.rollout.store(
                step,
                observation=observation,
                reward=reward,
                next_value=next_value,
                done=done,
                terminated=failed,
                **decision,
            )
            failures, ends = failures + failed.sum(), ends + done.sum()
            with self.timer("physics"):
                task.reset(done)
        with self.timer("update"):
            report = self.ppo.update(self.rollout.finish(self.config.ppo.discount, self.config.ppo.gae_lambda))
        samples = self.config.horizon * task.engine.num_worlds
        return samples, report | {
            "reward": float(self.rollout["reward"].mean()),
            "episode_length": samples / max(int(ends), 1),
            "failures": int(failures) / max(int(ends), 1),
        } | task.report()
