"""Training the teacher: PPO on the tracking task."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from anyskill.controller.tracking import TrackingConfig, TrackingTask
from anyskill.learning import distributed
from anyskill.learning.actor_critic import ActorCritic
from anyskill.learning.networks import MLP, GaussianPolicy, Value
from anyskill.learning.ppo import PPO, PPOConfig
from anyskill.learning.progress import PhaseTimer
from anyskill.learning.rollout import Rollout
from anyskill.learning.seeding import Streams
from anyskill.learning.state import Stateful
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import Engine


@dataclass(frozen=True)
class TeacherConfig:
    """Settings of the teacher; the defaults suit two CPU cores."""

    worlds: int = 1024
    """Simulated side by side."""
    horizon: int = 16
    """Control steps of each world in an iteration."""
    units: tuple[int, ...] = (1024, 512)
    """Hidden layers of policy and value."""
    log_sigma: float = -2.5
    """Logarithm of the standard deviation of actions."""
    bf16: bool = True
    """Multiply in bfloat16."""
    seed: int = 0
    """Of everything random."""
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    """The task."""
    ppo: PPOConfig = field(
        default_factory=lambda: PPOConfig(
            learning_rate=1e-4,
            discount=0.97,
            epochs=2,
            minibatch_size=4096,
            bound_weight=1.0,
            kl_target=0.02,
            max_grad_norm=1.0,
        )
    )
    """The optimiser."""


class Teacher:
    """``Trainer`` of a policy that follows clips frame by frame."""

    def __init__(self, config: TeacherConfig, engine: Engine, library: MotionLibrary) -> None:
        self.config = config
        self.streams = Streams(config.seed, rank=distributed.rank())
        self.timer = PhaseTimer(engine.device)
        self.task = TrackingTask(engine, library, self.streams("task", engine.device), config.tracking)
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
            "failure_rate": float(task.failure_rate.mean()),
        }
