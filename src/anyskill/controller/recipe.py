"""From motions to a controller: which trainers run one after the other, each in a run folder of its own."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from anyskill.controller.distillation import Distillation, DistillationConfig
from anyskill.controller.export import controller_of
from anyskill.controller.pretraining import Pretraining, PretrainingConfig, fast_calm, fine_tuning
from anyskill.controller.teacher import Teacher, TeacherConfig
from anyskill.learning import distributed
from anyskill.learning.loop import Trainer, train
from anyskill.learning.run_folder import RunFolder
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import Engine, make_engine


class Recipe:
    """Runs stages in order; a stage that was stopped goes on where it was, one that is done is skipped.

    Args:
        folder: Of the whole run; each stage has a folder in it.
        motions: A data set (YAML).
        device: Where everything runs.
        seed: Of everything random.
        progress: Show how it goes.
        track: Project of Weights & Biases.
    """

    def __init__(
        self,
        folder: Path,
        motions: Path,
        device: str = "cpu",
        seed: int = 0,
        *,
        progress: bool = True,
        track: str | None = None,
    ) -> None:
        self.folder, self.seed, self.progress, self.track = folder, seed, progress, track
        self.device = distributed.join(device)
        self.library = MotionLibrary.load(motions, self.device)

    def adversarial(self, config: PretrainingConfig, samples: float) -> bool:
        """AMP, ASE or CALM alone; whether it was finished."""
        trainer = Pretraining(config, self._engine(config.worlds, config.method), self.library)
        return self._stage(config.method, config, trainer, samples / (config.worlds * config.horizon))

    def distil_and_tune(self, teacher_samples: float, student_samples: float, tuning_samples: float) -> bool:
        """Teacher, student, and CALM from there; whether all were finished."""
        teacher_config = TeacherConfig(seed=self.seed)
        worlds = teacher_config.worlds
        teacher = Teacher(teacher_config, self._engine(worlds, "teacher"), self.library)
        iterations = teacher_samples / (worlds * teacher_config.horizon)
        if not self._stage("teacher", teacher_config, teacher, iterations):
            return False
        iterations = student_samples / (worlds * DistillationConfig.horizon)
        student_config = DistillationConfig(seed=self.seed, iterations=round(iterations))
        student = Distillation(student_config, teacher)
        finished = self._stage("student", student_config, student, iterations)
        controller_of(student).save(self.folder / "student" / "controller.safetensors")
        if not finished:
            return False
        tuning_config = fine_tuning()
        tuning = Pretraining(tuning_config, self._engine(tuning_config.worlds, "calm"), self.library)
        tuning.begin_with(student.student)
        finished = self._stage("calm", tuning_config, tuning, tuning_samples / (worlds * tuning_config.horizon))
        controller_of(tuning).save(self.folder / "calm" / "controller.safetensors")
        return finished

    def _engine(self, worlds: int, stage: str) -> Engine:
        return make_engine(worlds, self.device, dump_folder=self.folder / stage / "blown-up")

    def _stage(self, name: str, config: Any, trainer: Trainer, iterations: float) -> bool:
        path = self.folder / name
        run = RunFolder.open(path) if (path / "config.yaml").exists() else RunFolder.create(path, config)
        wanted = round(iterations)
        return train(trainer, run, wanted, progress=self.progress, track=self.track) >= wanted


def preset(name: Literal["amp", "ase", "calm"], size: Literal["fast", "paper"]) -> PretrainingConfig:
    """Settings of a method at a size: ``paper`` as published, ``fast`` for two CPU cores."""
    return replace(fast_calm() if size == "fast" else PretrainingConfig(), method=name)
