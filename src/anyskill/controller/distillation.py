"""Distilling the teacher into π(a|s, z): the student acts, the teacher says what it would have done (DAgger).

The student sees no reference, only the latent z = E(window) of the two seconds of the clip that lie ahead, held for a
while as a high-level policy will hold it. Policy and encoder are trained together on the squared distance between
the PD targets of student and teacher; overlapping windows are drawn together and all windows apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from anyskill.body.observation import frame_size, policy_observation, policy_size
from anyskill.controller.calm import alignment_loss, uniformity_loss
from anyskill.controller.networks import Encoder
from anyskill.controller.teacher import Teacher
from anyskill.learning import distributed
from anyskill.learning.buffers import RowBuffer
from anyskill.learning.guard import check_finite
from anyskill.learning.networks import GaussianPolicy, StyleMLP
from anyskill.learning.normalizer import RunningNormalizer
from anyskill.learning.optimizer import OptimizerState
from anyskill.learning.progress import PhaseTimer
from anyskill.learning.rollout import Batch
from anyskill.learning.seeding import Streams
from anyskill.learning.state import Stateful


@dataclass(frozen=True)
class DistillationConfig:
    """Settings of the student; sizes are those of the controller it becomes."""

    horizon: int = 8
    """Control steps of each world in an iteration."""
    units: tuple[int, ...] = (512, 256)
    """Hidden layers of the policy."""
    latent: int = 64
    """Size of z."""
    frames: int = 60
    """Frames of an encoded window."""
    stride: int = 4
    """The encoder reads every so many of them."""
    encoder_units: tuple[int, ...] = (512, 256)
    """Hidden layers of the encoder."""
    latent_steps: tuple[int, ...] = (10, 60)
    """A latent is held for a random number of control steps from this range."""
    teacher_share: float = 0.5
    """Share of worlds that the teacher steers at first; falls to zero over ``teacher_iterations``."""
    teacher_iterations: int = 100
    """See ``teacher_share``."""
    memory: int = 200_000
    """Samples from which minibatches are drawn."""
    steps: int = 8
    """Gradient steps in an iteration."""
    minibatch_size: int = 4096
    """Samples of one gradient step."""
    learning_rate: float = 5e-4
    """Of Adam, at first; falls to a tenth, linearly, over ``iterations``."""
    iterations: int = 2000
    """See ``learning_rate``."""
    alignment_weight: float = 0.01
    """Of the alignment loss; the main loss is in rad² a degree of freedom."""
    uniformity_weight: float = 0.005
    """Of the uniformity loss."""
    log_sigma: float = -2.9
    """Of the policy that comes out, for the training that follows."""
    bf16: bool = True
    """Multiply in bfloat16."""
    seed: int = 0
    """Of everything random."""


class Student(nn.Module):
    """π(a|s, z) and E with the statistics of what they see."""

    def __init__(
        self, config: DistillationConfig, observation: int, frame: int, actions: int, weights: torch.Generator
    ):
        super().__init__()
        trunk = StyleMLP(observation, config.latent, config.units, weights, bf16=config.bf16)
        self.policy = GaussianPolicy(trunk, actions, config.log_sigma, weights)
        self.encoder = Encoder(
            frame, config.frames, config.stride, config.encoder_units, config.latent, weights, bf16=config.bf16
        )
        self.observations, self.frames = RunningNormalizer(observation), RunningNormalizer(frame)


@dataclass
class _Held:
    """Where each world's latent comes from, and for how long it is kept."""

    end: Tensor
    left: Tensor
    latent: Tensor
    iteration: int = 0

    def state_dict(self) -> dict[str, Any]:
        return dict(vars(self))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.iteration = state["iteration"]
        for name in ("end", "left", "latent"):
            getattr(self, name).copy_(state[name])


class Distillation:
    """``Trainer`` of the student. The teacher's task provides worlds, references and the teacher's policy."""

    def __init__(self, config: DistillationConfig, teacher: Teacher) -> None:
        self.config, self.teacher, self.task = config, teacher.model.eval(), teacher.task
        self._task_streams = teacher.streams
        engine = self.task.engine
        skeleton, device, n = engine.skeleton, engine.device, engine.num_worlds
        self.streams = Streams(config.seed, rank=distributed.rank())
        self.timer = PhaseTimer(device)
        self.student = Student(
            config, policy_size(skeleton), frame_size(skeleton), skeleton.num_dof, self.streams("weights", "cpu")
        ).to(device)
        distributed.broadcast(self.student)
        self.optimizer = torch.optim.Adam(self.student.parameters(), lr=config.learning_rate, fused=True)
        self.memory = RowBuffer(config.memory, device=device)
        self._offset = skeleton.action_offset.float().to(device)
        self._scale = skeleton.action_scale.float().to(device)
        zero = torch.zeros(n, dtype=torch.long, device=device)
        self.held = _Held(zero, zero.clone(), torch.zeros(n, config.latent, device=device))

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """See ``Trainer.parts``."""
        return {
            "student": self.student,
            "optimizer": OptimizerState(self.optimizer, self.student),
            "memory": self.memory,
            "held": self.held,
            "task": self.task,
            "task_streams": self._task_streams,
            "streams": self.streams,
        }

    def iterate(self) -> tuple[int, dict[str, float]]:
        """See ``Trainer.iterate``."""
        config, task = self.config, self.task
        n, device = task.engine.num_worlds, task.engine.device
        draws = self.streams("draws", device)
        share = config.teacher_share * max(0.0, 1.0 - self.held.iteration / config.teacher_iterations)
        guided = torch.rand(n, generator=draws, device=device) < share
        rewards, failures, ends = [], torch.zeros((), device=device), torch.zeros((), device=device)
        for _ in range(config.horizon):
            with self.timer("networks"), torch.no_grad():
                self._renew_latents(draws)
                own = policy_observation(task.engine.state())
                wanted = task.targets(self.teacher.mean(task.observe()))
                targets = self._targets(own, self.held.latent)
                row = {"observation": own, "clip": task.clip.clone(), "end": self.held.end.clone(), "wanted": wanted}
                self.memory.store(row, draws)
                self.student.observations.update(own)
            with self.timer("physics"):
                reward, failed, finished = task.step(torch.where(guided[:, None], wanted, targets))
                self.held.left -= 1
                done = failed | finished
                self.held.left.masked_fill_(done, 0)
                task.reset(done)
            rewards.append(reward.mean())
            failures, ends = failures + failed.sum(), ends + done.sum()
        with self.timer("update"):
            report = self._update()
        self.held.iteration += 1
        return config.horizon * n, report | {
            "reward": float(torch.stack(rewards).mean()),
            "failures": float(failures / ends.clamp_min(1)),
            "failure_rate": float(task.failure_rate.mean()),
        }

    def _renew_latents(self, draws: torch.Generator) -> None:
        """Encode the two seconds ahead wherever a latent has been held long enough."""
        worlds = (self.held.left <= 0).nonzero()[:, 0]
        low, high = self.config.latent_steps
        self.held.left[worlds] = torch.randint(low, high, (len(worlds),), generator=draws, device=draws.device)
        clip, ahead = self.task.clip[worlds], self.task.frame[worlds] + self.config.frames - 1
        # Near its end a clip has less than a window ahead: its last one then, in which the present lies.
        loops = self.task.library.loops[clip]
        self.held.end[worlds] = torch.where(loops, ahead, torch.minimum(ahead, self.task.library.lengths[clip] - 1))
        self.student.frames.update(self._windows(clip, self.held.end[worlds])[:, 0])
        self.held.latent[worlds] = self._encode(clip, self.held.end[worlds])

    def _windows(self, clip: Tensor, end: Tensor) -> Float[Tensor, "n read frame"]:
        return self.task.library.windows(clip, end, self.student.encoder.read, stride=self.config.stride)

    def _encode(self, clip: Tensor, end: Tensor) -> Float[Tensor, "n latent"]:
        return self.student.encoder(self.student.frames(self._windows(clip, end)))

    def _targets(
        self, observation: Float[Tensor, "n observation"], latent: Float[Tensor, "n latent"]
    ) -> Float[Tensor, "n dof"]:
        """The student's PD targets."""
        action = self.student.policy(self.student.observations(observation), latent)
        return self._offset + self._scale * action

    def _update(self) -> dict[str, float]:
        config, draws = self.config, self.streams("minibatches", self.task.engine.device)
        progress = min(self.held.iteration / config.iterations, 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * (1.0 - 0.9 * progress)
        steps = [self._step(self.memory.sample(config.minibatch_size, draws), draws) for _ in range(config.steps)]
        means = torch.stack([torch.stack(list(step.values())) for step in steps]).mean(0).tolist()
        return dict(zip(steps[0], means, strict=True))

    def _step(self, rows: Batch, draws: torch.Generator) -> dict[str, Tensor]:
        config = self.config
        targets = self._targets(rows["observation"], self._encode(rows["clip"], rows["end"]))
        few = min(512, config.minibatch_size)
        clip, first, second = self.task.library.sample_overlapping(few, draws, config.frames)
        a, b = self._encode(clip, first), self._encode(clip, second)
        terms = {
            "loss/imitation": (targets - rows["wanted"]).square().mean(),
            "loss/alignment": config.alignment_weight * alignment_loss(a, b),
            "loss/uniformity": config.uniformity_weight * uniformity_loss(a),
        }
        check_finite("loss", terms)
        self.optimizer.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        distributed.average_gradients(self.student.parameters())
        nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        self.optimizer.step()
        return {name: term.detach() for name, term in terms.items()}
