"""Distilling the teachers into π(a|s, z): the student acts, a teacher says what it would have done (DAgger).

The student sees no reference, only the latent z = E(window) of the two seconds that the teacher follows before it goes
over to another window, as a high-level policy will hold and switch latents. Nor does it see a clock, so that of the
teacher goes by what the student does (``TrackingTask.synchronise``). Policy and encoder are trained together on the
squared distance between the PD targets of student and teacher; overlapping windows are drawn together and all windows
apart.

A body that is on the ground while its window stands is told by the second teacher how to get up, until it stands; so is
one that loses its balance, until the first teacher expects to do well again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from anyskill.body.observation import frame_size, policy_observation, policy_size
from anyskill.controller.calm import alignment_loss, uniformity_loss
from anyskill.controller.controller import Controller, ControllerError
from anyskill.controller.falling import STANDING, STOOD
from anyskill.controller.networks import Encoder
from anyskill.controller.rising import RisingTask
from anyskill.controller.teacher import Teacher
from anyskill.controller.tracking import TrackingTask
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
    """Frames of an encoded window, as many as the teacher follows over and over."""
    stride: int = 4
    """The encoder reads every so many of them."""
    encoder_units: tuple[int, ...] = (512, 256)
    """Hidden layers of the encoder."""
    teacher_share: float = 0.5
    """Share of worlds that the teacher steers at first; falls to zero over ``teacher_iterations``."""
    teacher_iterations: int = 100
    """See ``teacher_share``."""
    fall_start: float = 0.1
    """Chance that a world starts as a fall ends, if its window stands."""
    trust: tuple[float, float] = (0.3, 0.5)
    """The second teacher takes over where the first expects a smaller mean reward than this, until it expects more."""
    memory: int = 200_000
    """Samples from which minibatches are drawn."""
    frozen_encoder: bool = False
    """Whether latents go on to mean what they meant to the controller that it begins with."""
    steps: int = 16
    """Gradient steps in an iteration."""
    minibatch_size: int = 2048
    """Samples of one gradient step."""
    learning_rate: float = 5e-4
    """Of Adam, at first; falls to a tenth, linearly, over ``iterations``."""
    iterations: int = 2000
    """See ``learning_rate``."""
    alignment_weight: float = 0.001
    """Of the alignment loss; the main loss is in rad² a degree of freedom."""
    uniformity_weight: float = 0.005
    """Of the uniformity loss."""
    log_sigma: float = -2.9
    """Of the policy that comes out, for the training that follows."""
    bf16: bool = True
    """Multiply in bfloat16, where the device does so natively."""
    seed: int = 0
    """Of everything random."""


def keeping_latents(config: DistillationConfig) -> DistillationConfig:
    """Settings for a student whose encoder is given: a gradient step takes a third of the time, so there are more."""
    return replace(config, frozen_encoder=True, steps=2 * config.steps)


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
class _Progress:
    """What is remembered from one iteration to the next."""

    stood: Tensor  # for how many control steps each world has been standing
    unsteady: Tensor  # whether the first teacher has given up for now
    iterations: int = 0

    def state_dict(self) -> dict[str, Any]:
        return dict(vars(self))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.iterations = state["iterations"]
        self.stood.copy_(state["stood"])
        self.unsteady.copy_(state["unsteady"])


class Distillation:
    """``Trainer`` of the student.

    Args:
        config: Settings.
        tracker: Teacher of the tracking task, which provides the worlds.
        riser: Teacher of the rising task, which knows how to get up.
    """

    def __init__(self, config: DistillationConfig, tracker: Teacher, riser: Teacher) -> None:
        assert isinstance(tracker.task, TrackingTask)
        assert isinstance(riser.task, RisingTask)
        self.config, self.task, self._fallen = config, tracker.task, riser.task.fallen
        self.tracker, self.riser = tracker.model.eval(), riser.model.eval()
        self._task_streams = tracker.streams
        engine = self.task.engine
        skeleton, device = engine.skeleton, engine.device
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
        nobody = torch.zeros(engine.num_worlds, dtype=torch.bool, device=device)
        self.progress = _Progress(nobody.long(), nobody)
        self._table: Tensor | None = None  # latents of all windows, of an encoder that is frozen
        self._worth = 1.0 - tracker.config.ppo.discount  # a value times this is a mean reward

    def begin_with(self, controller: Controller) -> None:
        """Start from what a controller knows already.

        Raises:
            ControllerError: It has other sizes.
        """
        for name in ("units", "latent", "frames", "stride", "encoder_units"):
            theirs, ours = getattr(controller.config, name), getattr(self.config, name)
            if theirs != ours:
                raise ControllerError(
                    f"the controller to start from has {name} {theirs}; a student of it needs {ours}."
                )
        self.student.policy.trunk.load_state_dict(controller.policy.trunk.state_dict())
        self.student.policy.head.load_state_dict(controller.policy.head.state_dict())
        for name in ("encoder", "observations", "frames"):
            getattr(self.student, name).load_state_dict(getattr(controller, name).state_dict())

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """See ``Trainer.parts``."""
        return {
            "student": self.student,
            "optimizer": OptimizerState(self.optimizer, self.student),
            "memory": self.memory,
            "progress": self.progress,
            "task": self.task,
            "task_streams": self._task_streams,
            "streams": self.streams,
        }

    def iterate(self) -> tuple[int, dict[str, float]]:
        """See ``Trainer.iterate``."""
        config, task = self.config, self.task
        n, device = task.engine.num_worlds, task.engine.device
        draws = self.streams("draws", device)
        share = config.teacher_share * max(0.0, 1.0 - self.progress.iterations / config.teacher_iterations)
        guided = torch.rand(n, generator=draws, device=device) < share
        rewards, failures, ends = [], torch.zeros((), device=device), torch.zeros((), device=device)
        with self.timer("networks"), torch.no_grad():
            latent = self._latents(torch.arange(n, device=device))
        for _ in range(config.horizon):
            with self.timer("networks"), torch.no_grad():
                own = policy_observation(task.engine.state())
                task.synchronise(own)
                wanted = self._wanted(own)
                targets = self._targets(own, latent)
                row = {"observation": own, "clip": task.clip.clone(), "end": task.end, "wanted": wanted}
                self.memory.store(row, draws)
                self.student.observations.update(own)
            with self.timer("physics"):
                reward, failed, finished = task.step(torch.where(guided[:, None], wanted, targets))
                done = failed | finished
                task.reset(done)
                self._lay_and_raise(done, draws)
            with self.timer("networks"), torch.no_grad():
                other = (task.clip != row["clip"]) | (task.end != row["end"])
                latent[other] = self._latents(other.nonzero()[:, 0])
            rewards.append(reward.mean())
            failures, ends = failures + failed.sum(), ends + done.sum()
        with self.timer("update"):
            report = self._update()
        self.progress.iterations += 1
        return config.horizon * n, report | {
            "reward": float(torch.stack(rewards).mean()),
            "failures": float(failures / ends.clamp_min(1)),
        } | task.report()

    def _wanted(self, observation: Float[Tensor, "world observation"]) -> Float[Tensor, "world dof"]:
        """PD targets of the teacher whose turn it is."""
        task, progress, seen = self.task, self.progress, self.task.observe()
        low, high = self.config.trust
        limit = torch.where(progress.unsteady, high, low)
        progress.unsteady = (self._worth * self.tracker.value(seen) < limit) & ~task.grounded
        task.patience = torch.where(progress.unsteady, task.config.patience, task.patience)
        rises, tracks = self._ranges(self.riser.mean(observation)), task.targets(self.tracker.mean(seen))
        return torch.where(((task.excused > 0) | progress.unsteady)[:, None], rises, tracks)

    def _lay_and_raise(self, done: Bool[Tensor, "world"], draws: torch.Generator) -> None:
        """Lay some of those that start anew on the ground; whoever has got up begins its window."""
        task, device = self.task, draws.device
        lie = torch.rand(len(done), generator=draws, device=device) < self.config.fall_start
        worlds = (done & lie & (task.age == 0) & ~task.grounded).nonzero()[:, 0]
        places = torch.randint(len(self._fallen[0]), (len(worlds),), generator=draws, device=device)
        task.lay(worlds, *(states[places] for states in self._fallen))
        stands = task.engine.state().positions[:, 0, 2] > STANDING
        self.progress.stood = torch.where(stands, self.progress.stood + 1, 0)
        task.arrive((task.excused > 0) & (self.progress.stood >= STOOD))

    def _latents(self, worlds: Int[Tensor, "n"]) -> Float[Tensor, "n latent"]:
        """Of the windows that some worlds follow now."""
        clip, end = self.task.clip[worlds], self.task.end[worlds]
        if self.config.frozen_encoder:
            return self._known_latents(clip, end)
        self.student.frames.update(self._windows(clip, end)[:, 0])
        return self._encode(clip, end)

    @torch.no_grad()
    def _known_latents(self, clip: Int[Tensor, "n"], end: Int[Tensor, "n"]) -> Float[Tensor, "n latent"]:
        """Of windows, by an encoder that does not change: each is encoded once."""
        library = self.task.library
        if self._table is None:
            clips, first = library.places()
            places = clips.split(4096), self.task.windows.last(clips, first).split(4096)
            self._table = torch.cat([self._encode(*chunk) for chunk in zip(*places, strict=True)])
        return self._table[library.rows(clip, end - self.config.frames + 1)]

    def _windows(self, clip: Tensor, end: Tensor) -> Float[Tensor, "n read frame"]:
        return self.task.library.windows(clip, end, self.student.encoder.read, stride=self.config.stride)

    def _encode(self, clip: Tensor, end: Tensor) -> Float[Tensor, "n latent"]:
        return self.student.encoder(self.student.frames(self._windows(clip, end)))

    def _targets(self, observation: Float[Tensor, "n observation"], *latent: Tensor) -> Float[Tensor, "n dof"]:
        """The student's PD targets under latents, as ``StyleMLP`` takes them."""
        return self._ranges(self.student.policy(self.student.observations(observation), *latent))

    def _ranges(self, action: Float[Tensor, "n dof"]) -> Float[Tensor, "n dof"]:
        """PD targets (rad) of a controller's actions."""
        return self._offset + self._scale * action

    def _update(self) -> dict[str, float]:
        config, draws = self.config, self.streams("minibatches", self.task.engine.device)
        progress = min(self.progress.iterations / config.iterations, 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * (1.0 - 0.9 * progress)
        steps = [self._step(self.memory.sample(config.minibatch_size, draws), draws) for _ in range(config.steps)]
        means = torch.stack([torch.stack(list(step.values())) for step in steps]).mean(0).tolist()
        return dict(zip(steps[0], means, strict=True))

    def _step(self, rows: Batch, draws: torch.Generator) -> dict[str, Tensor]:
        clip, end = rows["clip"], rows["end"]
        one, number = self.task.library.distinct_windows(clip, end, self.config.frames)
        if self.config.frozen_encoder:
            latents, terms = self._known_latents(clip[one], end[one]), {}
        else:
            latents, terms = self._encode(clip[one], end[one]), self._encoder_losses(draws)
        targets = self._targets(rows["observation"], latents, number)
        terms["loss/imitation"] = (targets - rows["wanted"]).square().mean()
        check_finite("loss", terms)
        self.optimizer.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        distributed.average_gradients(self.student.parameters())
        nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        self.optimizer.step()
        return {name: term.detach() for name, term in terms.items()}

    def _encoder_losses(self, draws: torch.Generator) -> Batch:
        config = self.config
        few = min(512, config.minibatch_size)
        clip, first, second = self.task.library.sample_overlapping(few, draws, config.frames)
        a, b = self._encode(clip, first), self._encode(clip, second)
        return {
            "loss/alignment": config.alignment_weight * alignment_loss(a, b),
            "loss/uniformity": config.uniformity_weight * uniformity_loss(a),
        }
