"""Networks that were trained → a ``Controller`` with its bank of latents."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from anyskill.controller.bank import bank_places, path_places
from anyskill.controller.controller import Controller, ControllerConfig, ControllerError
from anyskill.controller.distillation import Distillation, DistillationConfig
from anyskill.controller.pretraining import Pretraining, PretrainingConfig
from anyskill.learning.run_folder import RunFolder
from anyskill.learning.state import State
from anyskill.motion.library import MotionLibrary

STAGES = ("calm", "student")  # folders of a recipe's stages that hold a controller, the last one of the recipe first


def controller_of(trainer: Distillation | Pretraining) -> Controller:
    """The controller as it is now: a student, or what CALM has made of it."""
    library = trainer.task.library if isinstance(trainer, Distillation) else trainer.world.library
    names = _networks(trainer.config)
    return _controller(trainer.config, {name: trainer.parts[name].state_dict() for name in names}, library)


def controller_stage(folder: Path) -> Path:
    """The run to export: a folder with a run of CALM or of a student, or the latest such stage of a recipe's folder.

    Raises:
        ControllerError: There is none.
    """
    stage = next((folder / name for name in STAGES if any((folder / name).glob("checkpoints/*.safetensors"))), folder)
    if not (stage / "config.yaml").exists():
        reason = "only a teacher so far; the student comes next" if (folder / "teacher").exists() else "no config.yaml"
        raise ControllerError(f"{folder} holds no run that has made a controller: there is {reason}.")
    return stage


def controller_of_run(stage: Path, library: MotionLibrary) -> Controller:
    """The controller that a run's newest checkpoint holds. Nothing is simulated.

    Args:
        stage: From ``controller_stage``.
        library: Motions whose windows make the bank.

    Raises:
        ControllerError: The run is of something else, or has no checkpoint yet.
        LearningError: Its checkpoints or settings cannot be read.
    """
    run = RunFolder.open(stage)
    config: DistillationConfig | PretrainingConfig
    if "teacher_share" in run.config:
        config = run.config_as(DistillationConfig)
    elif run.config.get("method") == "calm":
        config = run.config_as(PretrainingConfig)
    else:
        raise ControllerError(
            f"{stage} is a run of {run.config.get('method', 'the tracking teacher')}, which has no motion encoder; "
            "give one of calm or of a student."
        )
    state = run.checkpoints.newest()
    if state is None:
        raise ControllerError(f"{stage} has no checkpoint yet; train for some minutes first.")
    try:
        return _controller(config, state["parts"], library)
    except (KeyError, RuntimeError) as error:
        raise ControllerError(
            f"the checkpoint in {stage} does not fit its settings ({' '.join(str(error).split())})."
        ) from None


def _networks(config: DistillationConfig | PretrainingConfig) -> tuple[str, ...]:
    """The parts of a trainer in which a controller's networks are."""
    return ("student",) if isinstance(config, DistillationConfig) else ("model", "encoder", "frames")


def _controller(
    config: DistillationConfig | PretrainingConfig, parts: Mapping[str, State], library: MotionLibrary
) -> Controller:
    sizes: Any = config if isinstance(config, DistillationConfig) else config.calm
    bank, paths = bank_places(library, sizes.frames), path_places(library, sizes.frames)
    names = [tuple(library.names[number] for number in clip.tolist()) for clip, _ in (bank, paths)]
    controller = Controller(
        ControllerConfig(
            library.skeleton.character.name,
            config.units,
            sizes.latent,
            sizes.frames,
            sizes.stride,
            sizes.encoder_units,
            config.log_sigma,
            config.bf16,
        ),
        torch.zeros(len(names[0]), sizes.latent),
        names[0],
        torch.zeros(len(names[1]), sizes.latent),
        names[1],
    ).to(library.device)
    if isinstance(config, DistillationConfig):
        weights = dict(parts["student"])
    else:
        model = {name: tensor for name, tensor in parts["model"].items() if name.startswith(("policy.", "observat"))}
        weights = model | _below("encoder", parts["encoder"]) | _below("frames", parts["frames"])
    controller.load_state_dict(weights | {"latents": controller.latents, "paths": controller.paths})
    for latents, places in ((controller.latents, bank), (controller.paths, paths)):
        latents.copy_(controller.encode(library.windows(*places, controller.config.frames)))
    return controller.eval()


def _below(name: str, state: State) -> State:
    return {f"{name}.{key}": value for key, value in state.items()}
