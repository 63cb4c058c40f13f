"""A small library and settings that train in seconds."""

import math
from dataclasses import replace

import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.controller.amp import DiscriminatorConfig
from anyskill.controller.ase import AseConfig
from anyskill.controller.calm import CalmConfig
from anyskill.controller.pretraining import PretrainingConfig
from anyskill.learning.ppo import PPOConfig
from anyskill.motion.clip import Clip
from anyskill.motion.library import MotionLibrary
from anyskill.rotation import identity

SKELETON = skeleton_of(HUMANOID)


def arm_clip(name: str, dof: int, angle: float, seconds: float = 4.0) -> Clip:
    """Standing still while one degree of freedom goes there and back."""
    frames = int(30 * seconds) + 1
    time = torch.linspace(0, 2 * math.pi, frames, dtype=torch.float64)
    dofs = torch.zeros(frames, SKELETON.num_dof, dtype=torch.float64)
    dofs[:, dof] = 0.5 * angle * (1 - torch.cos(time))
    position = torch.tensor([0.0, 0.0, 0.881], dtype=torch.float64).expand(frames, 3)
    root = identity(frames, dtype=torch.float64)
    return Clip(name, 30, position, SKELETON.rotations_from_dofs(root, dofs), (name,))


def library() -> MotionLibrary:
    """The right arm forward, the left arm forward, the right elbow."""
    return MotionLibrary(
        [arm_clip("right arm", 7, -1.5), arm_clip("left arm", 11, -1.5), arm_clip("right elbow", 9, -1.5)]
    )


def tiny(method: str) -> PretrainingConfig:
    """Any method at a size for tests."""
    discriminator = DiscriminatorConfig(units=(32,), samples=64, replay=500)
    return replace(
        PretrainingConfig(),
        method=method,
        worlds=16,
        horizon=8,
        units=(32,),
        ppo=PPOConfig(minibatch_size=64, epochs=2, learning_rate=1e-3),
        amp=discriminator,
        ase=AseConfig(latent=8, discriminator=discriminator),
        calm=CalmConfig(latent=8, stride=10, encoder_units=(32,), discriminator=discriminator),
    )
