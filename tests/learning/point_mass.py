"""A task that is learnt in seconds: push a point to a goal that moves now and then. Also a script that trains on it."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from anyskill.learning import distributed
from anyskill.learning.actor_critic import ActorCritic, exploration_chances
from anyskill.learning.buffers import RowBuffer
from anyskill.learning.loop import train
from anyskill.learning.networks import MLP, GaussianPolicy, Value
from anyskill.learning.ppo import PPO, PPOConfig
from anyskill.learning.progress import PhaseTimer
from anyskill.learning.rollout import Rollout
from anyskill.learning.run_folder import RunFolder
from anyskill.learning.seeding import Streams
from anyskill.learning.state import Stateful

LENGTH = 40  # steps of an episode


class PointMass:
    """Positions and velocities in the plane; actions are accelerations. Leaving the square of ±2 is a failure."""

    def __init__(self, worlds: int, generator: torch.Generator) -> None:
        self.generator = generator
        self.position, self.velocity, self.goal = (torch.zeros(worlds, 2) for _ in range(3))
        self.age = torch.randint(LENGTH, (worlds,), generator=generator)
        self.reset(torch.ones(worlds, dtype=torch.bool))

    def reset(self, worlds: Tensor) -> None:
        count = int(worlds.sum())
        self.position[worlds] = 2 * torch.rand(count, 2, generator=self.generator) - 1
        self.goal[worlds] = 2 * torch.rand(count, 2, generator=self.generator) - 1
        self.velocity[worlds] = 0.0

    def observe(self) -> Tensor:
        return torch.cat((self.position, self.velocity, self.goal), -1)

    def step(self, action: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reward, done, terminated."""
        self.velocity = 0.8 * self.velocity + 0.2 * action.clamp(-1, 1)
        self.position = self.position + 0.3 * self.velocity
        self.age += 1
        terminated = self.position.abs().amax(-1) > 2
        reward = torch.exp(-4 * (self.position - self.goal).square().sum(-1))
        return reward, terminated | (self.age >= LENGTH), terminated

    def begin_again(self, done: Tensor) -> None:
        self.reset(done)
        self.age[done] = 0

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("position", "velocity", "goal", "age")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)


@dataclass(frozen=True)
class PointMassConfig:
    seed: int = 1
    worlds: int = 128
    horizon: int = 16
    bf16: bool = False
    ppo: PPOConfig = field(
        default_factory=lambda: PPOConfig(learning_rate=1e-3, epochs=4, minibatch_size=512, kl_target=0.02)
    )


class PointMassTrainer:
    def __init__(self, config: PointMassConfig) -> None:
        self.config, self.timer = config, PhaseTimer()
        self.streams = Streams(config.seed, rank=distributed.rank())
        weights = self.streams("weights")
        policy = GaussianPolicy(MLP(6, (64, 64), weights, bf16=config.bf16), 2, -1.2, weights)
        self.model = ActorCritic(policy, Value(MLP(6, (64, 64), weights, bf16=config.bf16), weights), 6)
        self.ppo = PPO(config.ppo, self.model, self.streams("minibatches"))
        self.environment = PointMass(config.worlds, self.streams("environment"))
        self.buffer = RowBuffer(1000, keep=0.1)
        self.rollout = Rollout(config.horizon)
        self.chances = exploration_chances(config.worlds)

    @property
    def parts(self) -> Mapping[str, Stateful]:
        return {
            "model": self.model,
            "ppo": self.ppo,
            "environment": self.environment,
            "buffer": self.buffer,
            "streams": self.streams,
        }

    def iterate(self) -> tuple[int, dict[str, float]]:
        with self.timer("rollout"):
            for step in range(self.config.horizon):
                observation = self.environment.observe()
                decision = self.model.act(observation, generator=self.streams("actions"), chances=self.chances)
                reward, done, terminated = self.environment.step(decision["action"])
                next_value = self.model.value(self.environment.observe())
                self.rollout.store(
                    step,
                    observation=observation,
                    reward=reward,
                    done=done,
                    terminated=terminated,
                    next_value=next_value,
                    **decision,
                )
                self.environment.begin_again(done)
        mean_reward = self.rollout["reward"].mean().item()
        batch = self.rollout.finish(self.config.ppo.discount, self.config.ppo.gae_lambda)
        self.buffer.store({"observation": batch["observation"]}, self.streams("buffer"))
        with self.timer("update"):
            metrics = self.ppo.update(batch)
        return len(batch["observation"]), {"reward": mean_reward} | metrics


def main(folder: Path, iterations: int, save_every: int) -> None:
    """Start or go on with a run."""
    torch.set_num_threads(1)
    distributed.join("cpu")
    started = (folder / "config.yaml").exists()
    run = RunFolder.open(folder) if started else RunFolder.create(folder, PointMassConfig())
    train(PointMassTrainer(run.config_as(PointMassConfig)), run, iterations, save_every=save_every)
    distributed.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
