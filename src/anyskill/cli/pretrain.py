"""``anyskill pretrain``: motions → a low-level controller."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import tyro


def pretrain(
    motions: Annotated[Path, tyro.conf.Positional],
    out: Path,
    method: Literal["amp", "ase", "calm", "distil+calm"] = "distil+calm",
    preset: Literal["fast", "paper"] = "fast",
    samples: float = 20e6,
    teacher_samples: float = 60e6,
    rising_samples: float = 6e6,
    student_samples: float = 10e6,
    start: Path | None = None,
    keep_latents: bool = False,
    device: str = "cpu",
    seed: int = 0,
    track: str | None = None,
) -> None:
    """Train a low-level controller, or go on with a run that was stopped.

    Ctrl-C and SIGTERM save a checkpoint first; the same command then goes on from there.

    Args:
        motions: Data set of clips (YAML).
        out: Folder of the run.
        method: How: adversarially from nothing, or by tracking, distilling and then CALM's discriminator.
        preset: Settings of amp, ase and calm: as published, or for two CPU cores.
        samples: Control steps of adversarial training.
        teacher_samples: Control steps of the tracking teacher (distil+calm).
        rising_samples: Control steps of the teacher that stands up (distil+calm).
        student_samples: Control steps of distilling (distil+calm).
        start: Folder of an earlier run whose teachers and controller to go on from (distil+calm); `package` for those
            that come with this package.
        keep_latents: The student keeps the encoder of the controller it starts from, and learns faster; for clips that
            this encoder has seen.
        device: cpu or cuda.
        seed: Of everything random.
        track: Also send metrics to this project of Weights & Biases.
    """
    from anyskill.controller.controller import ControllerError
    from anyskill.controller.distillation import keeping_latents
    from anyskill.controller.origin import Origin
    from anyskill.controller.recipe import Recipe, Stages
    from anyskill.controller.recipe import preset as settings
    from anyskill.learning import distributed

    recipe = Recipe(out, motions, device, seed, track=track)
    if method == "distil+calm":
        origin = None
        if start is not None:
            origin = Origin.packaged(device) if str(start) == "package" else Origin.of_run(start, device)
        elif keep_latents:
            raise ControllerError("--keep-latents needs a controller to start from: name one with --start.")
        stages = Stages()
        if keep_latents:
            stages = replace(stages, student=keeping_latents(stages.student))
        amounts = teacher_samples, rising_samples, student_samples, samples
        finished = recipe.distil_and_tune(*amounts, stages, origin)
    else:
        finished = recipe.adversarial(settings(method, preset), samples)
    distributed.leave()
    if not finished:
        print("Stopped; the same command goes on from here.", file=sys.stderr)
