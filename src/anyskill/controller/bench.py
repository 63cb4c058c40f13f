"""Benchmark of pretraining: samples a second, all in, and where the time goes."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import torch

from anyskill.bench import Case
from anyskill.controller.distillation import Distillation, DistillationConfig
from anyskill.controller.pretraining import Pretraining, PretrainingConfig, fast_calm
from anyskill.controller.report import authored_dataset
from anyskill.controller.teacher import Teacher, TeacherConfig, rising_teacher
from anyskill.learning.bench import trainer_cases
from anyskill.learning.loop import Trainer
from anyskill.motion.library import MotionLibrary
from anyskill.sim.bench import bare_control
from anyskill.sim.engine import make_engine

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
    reference = bare_control(128 if quick else 1024) if device == "cpu" else None
    return [case for name, make in trainers.items() for case in trainer_cases(name, make, _phases(name), reference)]


def _phases(name: str) -> list[str]:
    phases = ["physics", "networks", "discriminator", "update"]
    return phases if name.startswith("CALM") else [phase for phase in phases if phase != "discriminator"]
