"""Networks that were trained → a ``Controller`` with its bank of latents."""

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill.controller.calm import Calm
from anyskill.controller.controller import Controller, ControllerConfig
from anyskill.controller.distillation import Distillation
from anyskill.controller.pretraining import Pretraining
from anyskill.motion.library import MotionLibrary

PER_CLIP = 4  # windows of each clip in the bank, spread evenly over it


def bank_places(library: MotionLibrary, frames: int, per_clip: int = PER_CLIP) -> tuple[Tensor, Tensor]:
    """Clips and ends of the windows whose latents make the bank."""
    clip = torch.arange(len(library), device=library.device).repeat_interleave(per_clip)
    last = library.lengths[clip] - 1
    first = torch.minimum(torch.full_like(last, frames - 1), last)
    share = torch.arange(per_clip, device=library.device).repeat(len(library)) / max(per_clip - 1, 1)
    return clip, (first + share * (last - first)).round().long()


def controller_of(trainer: Distillation | Pretraining) -> Controller:
    """The controller as it is now: a student, or what CALM has made of it."""
    if isinstance(trainer, Distillation):
        config, bf16, library = trainer.config, trainer.config.bf16, trainer.task.library
        policy, encoder = trainer.student.policy, trainer.student.encoder
        observations, frames = trainer.student.observations, trainer.student.frames
        units, log_sigma = config.units, config.log_sigma
        sizes = (config.latent, config.frames, config.stride, config.encoder_units)
    else:
        assert isinstance(trainer.method, Calm)
        calm, bf16, library = trainer.config.calm, trainer.config.bf16, trainer.world.library
        policy, encoder = trainer.model.policy, trainer.method.encoder
        observations, frames = trainer.model.observations, trainer.method.frames
        units, log_sigma = trainer.config.units, trainer.config.log_sigma
        sizes = (calm.latent, calm.frames, calm.stride, calm.encoder_units)
    latent, window, stride, encoder_units = sizes
    clip, end = bank_places(library, window)
    names = tuple(library.names[i] for i in clip.tolist())
    config_of_it = ControllerConfig(
        library.skeleton.character.name, units, latent, window, stride, encoder_units, log_sigma, bf16
    )
    controller = Controller(config_of_it, torch.zeros(len(clip), latent), names).to(library.device)
    for ours, theirs in zip(
        (controller.policy, controller.encoder, controller.observations, controller.frames),
        (policy, encoder, observations, frames),
        strict=True,
    ):
        ours.load_state_dict(theirs.state_dict())
    controller.latents.copy_(_encode(controller, library, clip, end))
    return controller.eval()


def _encode(controller: Controller, library: MotionLibrary, clip: Tensor, end: Tensor) -> Float[Tensor, "n latent"]:
    return controller.encode(library.windows(clip, end, controller.config.frames))
