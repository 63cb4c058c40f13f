"""Adversarial pretraining: PPO on the reward of AMP's, ASE's or CALM's discriminator."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from anyskill.controller.amp import Amp, DiscriminatorConfig
from anyskill.controller.ase import Ase, AseConfig
from anyskill.controller.calm import Calm, CalmConfig
from anyskill.controller.distillation import Student
from anyskill.controller.world import ImitationWorld, WorldConfig
from anyskill.learning import distributed
from anyskill.learning.actor_critic import ActorCritic, exploration_chances
from anyskill.learning.buffers import RowBuffer
from anyskill.learning.networks import MLP, GaussianPolicy, StyleMLP, Value
from anyskill.learning.normalizer import RunningNormalizer
from anyskill.learning.ppo import PPO, PPOConfig
from anyskill.learning.progress import PhaseTimer
from anyskill.learning.rollout import Batch, Rollout
from anyskill.learning.seeding import Streams
from anyskill.learning.state import Stateful
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import Engine


@dataclass(frozen=True)
class Guidance:
    """Weights of ``ImitationWorld``'s methods of these names in the reward; none of the papers has any."""

    up: float = 0.0
    """Being up."""
    tracking: float = 0.0
    """Doing what the latent's window shows (CALM alone)."""
    sliding: float = 0.0
    """Feet that slide."""
    roughness: float = 0.0
    """Actions that jump."""


@dataclass(frozen=True)
class PretrainingConfig:
    """Settings of adversarial pretraining; the defaults are the paper's sizes."""

    method: Literal["amp", "ase", "calm"] = "calm"
    """Which discriminator and latent."""
    worlds: int = 1024
    """Simulated side by side."""
    horizon: int = 32
    """Control steps of each world in an iteration."""
    units: tuple[int, ...] = (1024, 1024, 512)
    """Hidden layers of policy and value."""
    log_sigma: float = -2.9
    """Logarithm of the standard deviation of actions."""
    bf16: bool = False
    """Multiply in bfloat16, but for the policy."""
    seed: int = 0
    """Of everything random."""
    guidance: Guidance = field(default_factory=Guidance)
    """Added to the discriminator's reward in every step."""
    anchor: float = 0.0
    """Weight of the divergence from the policy that a fine-tuning began with, in its loss."""
    world: WorldConfig = field(default_factory=WorldConfig)
    """Episodes."""
    ppo: PPOConfig = field(default_factory=lambda: PPOConfig(minibatch_size=4096))
    """The optimiser."""
    amp: DiscriminatorConfig = field(default_factory=lambda: DiscriminatorConfig(units=(1024, 512)))
    """Used by ``amp`` alone."""
    ase: AseConfig = field(default_factory=AseConfig)
    """Used by ``ase`` alone."""
    calm: CalmConfig = field(
        default_factory=lambda: CalmConfig(discriminator=DiscriminatorConfig(samples=1024, replay=50_000))
    )
    """Used by ``calm`` alone."""


def fast_calm() -> PretrainingConfig:
    """CALM for two CPU cores: small networks in bfloat16, an encoder of every fourth frame, a steered learning rate."""
    discriminator = DiscriminatorConfig(units=(512, 256), samples=512, replay=20_000)
    return PretrainingConfig(
        horizon=16,
        units=(512, 256),
        bf16=True,
        ppo=PPOConfig(learning_rate=1e-4, epochs=2, minibatch_size=4096, kl_target=0.02, max_grad_norm=1.0),
        calm=CalmConfig(stride=4, encoder_units=(512, 256), discriminator=discriminator),
    )


def fine_tuning() -> PretrainingConfig:
    """CALM for a student that tracks already: mostly from within clips, and careful steps.

    The student falls now and then as latents change, and the discriminator soon knows it too well to pay it much: what
    teaches it to stay on its feet is the reward for being up. The policy waits until value and discriminator know
    something: what they say at first would only make it forget. Later on, what is not paid for stays as it was.
    """
    config = fast_calm()
    discriminator = replace(config.calm.discriminator, reward_scale=1.0)
    return replace(
        config,
        log_sigma=-3.3,  # 0.09 rad at shoulders and hips
        anchor=0.003,
        guidance=Guidance(up=0.25, tracking=1.5, sliding=-0.5, roughness=-10.0),
        world=WorldConfig(
            reference_start=0.9,
            matched_start=0.5,
            fall_start=0.1,
            recovery=0.2,
            recovery_steps=150,
            excuse_ground=True,
            moving=0.5,
        ),
        ppo=replace(config.ppo, learning_rate=1e-5, value_learning_rate=3e-4, kl_target=0.008, warm_up=15),
        calm=replace(config.calm, frozen_encoder=True, discriminator=discriminator),
    )


class Method(Protocol):
    """What tells one adversarial method from another."""

    latent_size: int
    frames: RunningNormalizer
    replay: RowBuffer

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What is trained beside policy and value."""

    def draw(self, worlds: Int[Tensor, "n"]) -> Batch:
        """What to remember of new latents for some worlds; ``latent`` among it, unless there is none."""

    def reward(self, batch: Batch) -> Float[Tensor, "n"]:
        """The agent's pay for ``window`` (under ``latent``)."""

    def renew(self, latents: Batch) -> Batch:
        """What changes about remembered latents when the encoder has."""

    def losses(self, minibatch: Batch) -> dict[str, Tensor]:
        """Losses beside PPO's, and things to report."""

    def remember(self, batch: Batch) -> None:
        """Take an iteration's windows into account, before the gradient steps."""


class Pretraining:
    """``Trainer`` of AMP, ASE and CALM."""

    def __init__(self, config: PretrainingConfig, engine: Engine, library: MotionLibrary) -> None:
        self.config = config
        self.streams = Streams(config.seed, rank=distributed.rank())
        device, weights = engine.device, self.streams("weights", "cpu")
        self.timer = PhaseTimer(device)
        follows = bool(config.guidance.tracking)
        self.world = ImitationWorld(engine, library, self.streams("world", device), config.world, follows=follows)
        latent = {"amp": 0, "ase": config.ase.latent, "calm": config.calm.latent}[config.method]
        self.model = self._actor_critic(latent, weights)
        self.method = self._method(library, weights)
        for module in (self.model, self.method.frames, *self.method.modules.values()):
            module.to(device)
        self.ppo = PPO(
            config.ppo,
            self.model,
            self.streams("minibatches", device),
            others=self.method.modules,
            acting=("encoder",) if isinstance(self.method, Calm) else (),
            evaluate=self.method.evaluate if isinstance(self.method, Calm) else None,
        )
        self.rollout = Rollout(config.horizon)
        # What was there before.
        self.start = deepcopy(self.model.policy).requires_grad_(False) if config.anchor else None
        self._guidance = {name: weight for name, weight in vars(config.guidance).items() if weight}
        self._chances = exploration_chances(engine.num_worlds, device) if latent else None  # AMP always explores

    def begin_with(self, student: Student) -> None:
        """Take over a distilled policy and encoder (CALM alone); the statistics of what they see stay the student's."""
        assert isinstance(self.method, Calm)
        self.model.policy.trunk.load_state_dict(student.policy.trunk.state_dict())
        self.model.policy.head.load_state_dict(student.policy.head.state_dict())
        self.model.observations.load_state_dict(student.observations.state_dict())
        self.method.encoder.load_state_dict(student.encoder.state_dict())
        self.method.frames.load_state_dict(student.frames.state_dict())
        self.model.observations.freeze()
        self.method.frames.freeze()
        if self.start is not None:
            self.start.load_state_dict(self.model.policy.state_dict())

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """See ``Trainer.parts``."""
        return {
            "model": self.model,
            **self.method.modules,
            **({} if self.start is None else {"start": self.start}),
            "frames": self.method.frames,
            "replay": self.method.replay,
            "ppo": self.ppo,
            "world": self.world,
            "streams": self.streams,
        }

    def iterate(self) -> tuple[int, dict[str, float]]:
        """See ``Trainer.iterate``."""
        world, rollout, generator = self.world, self.rollout, self.streams("actions", self.world.engine.device)
        falls = ends = torch.zeros((), dtype=torch.long, device=world.engine.device)
        with self.timer("networks"):
            world.latents |= self.method.renew(world.latents)
        for step in range(self.config.horizon):
            with self.timer("networks"):
                if self.method.latent_size:
                    due = world.due()
                    world.assign(due, self.method.draw(due))
                if self.config.world.moving and isinstance(self.method, Calm):
                    on, *windows = world.onward()
                    world.move_on(on, self.method.latents(*windows))
                latent = [world.latents["latent"]] if self.method.latent_size else []
                observation = world.observe()
                decision = self.model.act(observation, *latent, generator=generator, chances=self._chances)
                if self.start is not None:
                    decision["start"] = self.start(self.model.observations(observation), *latent)
            with self.timer("physics"):
                fallen, late = world.step(decision["action"])
            done = fallen | late
            with self.timer("networks"):
                decision |= {
                    "next_value": self.model.value(world.observe(), *latent),
                    "window": world.window,
                    **{name: getattr(world, name)() for name in self._guidance},
                }
            rollout.store(step, observation=observation, done=done, terminated=fallen, **decision, **world.latents)
            falls, ends = falls + fallen.sum(), ends + done.sum()
            with self.timer("physics"):
                world.reset(done, fallen)
        with self.timer("discriminator"):
            names = ("window", *world.latents)
            seen = {name: rollout[name].flatten(0, 1) for name in names}
            style = self.method.reward(seen).view(self.config.horizon, -1)
            guidance = [weight * rollout[name] for name, weight in self._guidance.items()]
            rollout["reward"] = torch.stack([style, *guidance]).sum(0)
            self.method.remember(seen)
        with self.timer("update"):
            batch = rollout.finish(self.config.ppo.discount, self.config.ppo.gae_lambda)
            report = self.ppo.update(batch, self._losses)
        samples = self.config.horizon * world.engine.num_worlds
        return samples, report | {
            "reward": float(rollout["reward"].mean()),
            "style": float(style.mean()),
            **{name: float(rollout[name].mean()) for name in self._guidance},
            "episode_length": samples / max(int(ends), 1),
            "falls": int(falls) / max(int(ends), 1),
        }

    def _losses(self, minibatch: Batch) -> dict[str, Tensor]:
        """The method's, and of leaving the policy that it began with.

        What falls is paid for leaving it; whatever is not would otherwise wander off, and lose the poses of its limbs
        to the noise of a thousand updates.
        """
        terms = self.method.losses(minibatch)
        if self.start is not None:
            apart = self.model.policy.kl(minibatch["new_mean"], minibatch["start"])
            terms["anchor"] = self.config.anchor * apart.mean()
        return terms

    def _actor_critic(self, latent: int, weights: torch.Generator) -> ActorCritic:
        config, inputs = self.config, self.world.observation_size
        # Always in full precision: beside a small σ the rounding of means would count as a change of the policy.
        trunk: MLP | StyleMLP = (
            StyleMLP(inputs, latent, config.units, weights) if latent else MLP(inputs, config.units, weights)
        )
        policy = GaussianPolicy(trunk, self.world.num_actions, config.log_sigma, weights)
        critic = Value(MLP(inputs + latent, config.units, weights, bf16=config.bf16), weights)
        return ActorCritic(policy, critic, inputs)

    def _method(self, library: MotionLibrary, weights: torch.Generator) -> Method:
        config, frame = self.config, self.world.frame_size
        draws, bf16 = self.streams("method", library.device), self.config.bf16
        if config.method == "amp":
            return Amp(library, frame, config.amp, weights, draws, bf16=bf16)
        if config.method == "ase":
            return Ase(library, frame, config.ase, self.model, weights, draws, bf16=bf16)
        return Calm(library, frame, config.calm, self.model, weights, draws, bf16=bf16)
