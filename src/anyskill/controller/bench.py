"""Benchmark of pretraining: samples a second, all in, and where the time goes."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache

import torch
from torch import nn

from anyskill.bench import Case, Chunk
from anyskill.controller.distillation import Distillation, DistillationConfig
from anyskill.controller.pretraining import Pretraining, PretrainingConfig, fast_calm
from anyskill.controller.report import authored_dataset
from anyskill.controller.teacher import Teacher, TeacherConfig, rising_teacher
from anyskill.learning.loop import Trainer
from anyskill.motion.library import MotionLibrary
from anyskill.sim.bench import bare_physics
from anyskill.sim.engine import SUBSTEPS, make_engine

SECONDS = 15.0
"""Of each rate: an iteration takes some."""


def cases(quick: bool) -> list[Case]:
    """Samples (control steps of one world) a second of CALM, of the teacher and of the student, on our own motions.

    Around each rate stand the number of weights and the shares of its time. The reference on the CPU is MuJoCo's batch
    with nothing around it, on the same number of worlds. A GPU, where there is one, gets CALM at the paper's size too.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"

    @lru_cache(maxsize=1)
    def motions() -> MotionLibrary:
        dataset = authored_dataset()
        return MotionLibrary(dataset.clips, dataset.chances(), device)

    def calm(config: PretrainingConfig) -> Pretraining:
        if quick:
            config = replace(config, worlds=128, ppo=replace(config.ppo, minibatch_size=512))
        return Pretraining(config, make_engine(config.worlds, device), motions())

    def teacher(config: TeacherConfig) -> Teacher:
        if quick:
            config = replace(config, worlds=128, ppo=replace(config.ppo, minibatch_size=512))
        return Teacher(config, make_engine(config.worlds, device), motions())

    def student() -> Distillation:
        config = DistillationConfig(minibatch_size=512 if quick else 4096)
        return Distillation(config, teacher(TeacherConfig()), teacher(rising_teacher()))

    trainers: dict[str, Callable[[], Trainer]] = {
        "CALM, fast": lambda: calm(fast_calm()),
        "teacher": lambda: teacher(TeacherConfig()),
        "teacher of rising": lambda: teacher(rising_teacher()),
        "student": student,
    }
    if device == "cuda":
        trainers["CALM, paper"] = lambda: calm(PretrainingConfig())
    reference = _samples(bare_physics(128 if quick else 1024)) if device == "cpu" else None
    return [case for name, make in trainers.items() for case in _cases(name, make, reference)]


def _cases(name: str, make: Callable[[], Trainer], reference: Chunk | None) -> Iterator[Case]:
    """Size and rate of a trainer, and the share of each phase in the seconds of all iterations that were timed."""
    warm = lru_cache(make)
    seconds: Counter[str] = Counter()

    def size() -> float:
        """Number of weights; on the way everything is made and run once, which must not count below."""
        trainer = warm()
        trainer.iterate()
        trainer.timer.take()
        if reference is not None:
            reference()
        modules = (part for part in trainer.parts.values() if isinstance(part, nn.Module))
        return sum(weights.numel() for module in modules for weights in module.parameters())

    def iterate() -> float:
        samples, _ = warm().iterate()
        seconds.update(warm().timer.take())
        return samples

    def share(phase: str) -> Callable[[], float]:
        return lambda: 100 * seconds[phase] / seconds.total()

    yield Case(f"{name}: size", "weights", size)
    yield Case(name, "samples/s", iterate, reference)
    phases = ["physics", "networks", "discriminator", "update"]
    for phase in phases if name.startswith("CALM") else [phase for phase in phases if phase != "discriminator"]:
        yield Case(f"{name}: {phase}", "% of the time", share(phase))


def _samples(physics: Chunk) -> Chunk:
    return lambda: physics() / SUBSTEPS
