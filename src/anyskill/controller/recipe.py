"""From motions to a controller: which trainers run one after the other, each in a run folder of its own."""

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from anyskill.controller.controller import ControllerError
from anyskill.controller.distillation import Distillation, DistillationConfig
from anyskill.controller.export import controller_of
from anyskill.controller.origin import TEACHERS, Origin, write_teachers
from anyskill.controller.pretraining import Pretraining, PretrainingConfig, fast_calm, fine_tuning
from anyskill.controller.provenance import Provenance
from anyskill.controller.teacher import Teacher, TeacherConfig, rising_teacher
from anyskill.learning import distributed
from anyskill.learning.loop import Trainer, train
from anyskill.learning.run_folder import RunFolder
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import Engine, make_engine

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stages:
    """Settings of what ``distil_and_tune`` runs."""

    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    """Follows clips frame by frame."""
    rising: TeacherConfig = field(default_factory=rising_teacher)
    """Stands up from the ground."""
    student: DistillationConfig = field(default_factory=DistillationConfig)
    """Learns from the teacher; its sizes are those of the controller."""
    tuning: PretrainingConfig = field(default_factory=fine_tuning)
    """CALM, from the student on; its networks have the student's sizes."""


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
        self.provenance = Provenance.of(motions, self.library)

    def adversarial(self, config: PretrainingConfig, samples: float) -> bool:
        """AMP, ASE or CALM alone; whether it was finished."""
        config = replace(config, seed=self.seed)
        trainer = Pretraining(config, self._engine(config.worlds, config.method), self.library)
        return self._stage(config.method, config, trainer, self._iterations(samples, config.worlds, config.horizon))

    def distil_and_tune(
        self,
        teacher_samples: float,
        rising_samples: float,
        student_samples: float,
        tuning_samples: float,
        stages: Stages | None = None,
        origin: Origin | None = None,
    ) -> bool:
        """Two teachers, their student, and CALM from there; whether all were finished.

        Args:
            teacher_samples: Control steps of the teacher that tracks.
            rising_samples: Of the one that stands up.
            student_samples: Of distilling.
            tuning_samples: Of CALM.
            stages: Settings.
            origin: What teachers and student start from instead of from nothing.

        Raises:
            ControllerError: The origin has other sizes, or a stage was begun with other clips.
        """
        stages = stages or Stages()
        tuning_config = replace(stages.tuning, seed=self.seed)
        tracker, finished = self._teacher("teacher", stages.teacher, teacher_samples, origin)
        if not finished:
            return False
        riser, finished = self._teacher("rising", stages.rising, rising_samples, origin)
        if not finished:
            return False
        if distributed.rank() == 0:
            write_teachers(self.folder / TEACHERS, teacher=tracker.model, rising=riser.model)
        iterations = self._iterations(student_samples, stages.teacher.worlds, stages.student.horizon)
        student_config = replace(stages.student, seed=self.seed, iterations=iterations)
        student = Distillation(student_config, tracker, riser)
        if origin is not None:
            student.begin_with(origin.controller)
        finished = self._stage("student", student_config, student, iterations)
        self._save(student, "student")
        if not finished:
            return False
        tuning = Pretraining(tuning_config, self._engine(tuning_config.worlds, "calm"), self.library)
        tuning.begin_with(student.student)
        iterations = self._iterations(tuning_samples, tuning_config.worlds, tuning_config.horizon)
        finished = self._stage("calm", tuning_config, tuning, iterations)
        self._save(tuning, "calm")
        return finished

    def _teacher(self, name: str, config: TeacherConfig, samples: float, origin: Origin | None) -> tuple[Teacher, bool]:
        """A teacher, and whether it was finished."""
        config = replace(config, seed=self.seed)
        teacher = Teacher(config, self._engine(config.worlds, name), self.library)
        if origin is not None:
            teacher.begin_with(origin.teachers[name])
        return teacher, self._stage(name, config, teacher, self._iterations(samples, config.worlds, config.horizon))

    def _engine(self, worlds: int, stage: str) -> Engine:
        return make_engine(worlds, self.device, dump_folder=self.folder / stage / "blown-up")

    def _iterations(self, samples: float, worlds: int, horizon: int) -> int:
        return round(samples / (worlds * horizon * distributed.num_ranks()))

    def _stage(self, name: str, config: Any, trainer: Trainer, iterations: int) -> bool:
        path = self.folder / name
        run = RunFolder.open(path) if (path / "config.yaml").exists() else RunFolder.create(path, config)
        done = max(run.checkpoints.iterations(), default=0)
        if done < iterations:
            self._note_motions(path, name, begun=done > 0)
        return train(trainer, run, iterations, progress=self.progress, track=self.track) >= iterations

    def _note_motions(self, path: Path, name: str, *, begun: bool) -> None:
        """Record the data set; a stage that has begun with other clips says so, or refuses if it remembers places."""
        before = Provenance.read(path) if begun else None
        difference = before and before.difference(self.provenance)
        if before and difference and name in ("student", "calm"):
            raise ControllerError(
                f"{path} was begun with other clips ({difference}), and what it remembers are places in them; "
                f"go on with {before.dataset} as it was, or start a new run."
            )
        if before and difference:
            _log.warning("%s goes on with other clips than before (%s).", path, difference)
        if distributed.rank() == 0:
            self.provenance.write(path)

    def _save(self, trainer: Distillation | Pretraining, stage: str) -> None:
        if distributed.rank() == 0:
            controller_of(trainer).save(self.folder / stage / "controller.safetensors")


def preset(name: Literal["amp", "ase", "calm"], size: Literal["fast", "paper"]) -> PretrainingConfig:
    """Settings of a method at a size: ``paper`` as published, ``fast`` for two CPU cores."""
    return replace(fast_calm() if size == "fast" else PretrainingConfig(), method=name)
