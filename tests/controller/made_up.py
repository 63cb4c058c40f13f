"""A small library and settings that train in seconds."""

import math
from dataclasses import replace
from pathlib import Path

import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.controller.amp import DiscriminatorConfig
from anyskill.controller.ase import AseConfig
from anyskill.controller.calm import CalmConfig
from anyskill.controller.controller import Controller, ControllerConfig
from anyskill.controller.networks import random_latents
from anyskill.controller.pretraining import PretrainingConfig
from anyskill.learning.ppo import PPOConfig
from anyskill.motion.clip import Clip
from anyskill.motion.formats.clip_npz import save_clip
from anyskill.motion.library import MotionLibrary
from anyskill.rotation import from_rotation_vector, identity

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


def glide(speed: float) -> Clip:
    """Standing still and yet going forward, at so many m/s."""
    clip = arm_clip("glide", 7, 0.0)
    way = torch.zeros_like(clip.root_positions)
    way[:, 0] = speed * torch.arange(len(way)) / clip.fps
    return replace(clip, root_positions=clip.root_positions + way)


def lie_down(seconds: float = 6.0) -> Clip:
    """Standing for three seconds, then tipping over onto the back."""
    frames = int(30 * seconds) + 1
    lean = (torch.arange(frames, dtype=torch.float64) / 30 - 3.0).clamp(0.0, 1.0)
    height = 0.881 - 0.781 * lean
    position = torch.stack((0 * height, 0 * height, height), -1)
    root = from_rotation_vector(torch.stack((0 * lean, -0.5 * math.pi * lean, 0 * lean), -1))
    dofs = torch.zeros(frames, SKELETON.num_dof, dtype=torch.float64)
    return Clip("lie down", 30, position, SKELETON.rotations_from_dofs(root, dofs), ("lie down",))


def library() -> MotionLibrary:
    """The right arm forward, the left arm forward, the right elbow."""
    return MotionLibrary(
        [arm_clip("right arm", 7, -1.5), arm_clip("left arm", 11, -1.5), arm_clip("right elbow", 9, -1.5)]
    )


def write_dataset(folder: Path, **angles: float) -> Path:
    """A data set on disk: for each name a clip that bends the right elbow so far (rad)."""
    for name, angle in angles.items():
        save_clip(arm_clip(name, 9, angle), folder / f"{name}.npz")
    path = folder / "set.yaml"
    path.write_text("motions:\n" + "".join(f"  - file: {name}.npz\n" for name in angles))
    return path


class Scripted(Controller):
    """Follows clip ``order[i]`` in world ``i`` by PD targets, whatever it is asked for."""

    def __init__(self, motions: MotionLibrary, order: list[int], names: tuple[str, ...] = ("a",) * 5) -> None:
        config = ControllerConfig(units=(8,), latent=4, stride=10, encoder_units=(8,))
        super().__init__(config, random_latents(len(names), 4, torch.Generator().manual_seed(0)), names)
        self._motions, self._order, self._step = motions, torch.tensor(order), 0

    def act(self, state, z):
        self._step += 1
        local = SKELETON.local_rotations(
            self._motions.states(self._order, torch.full_like(self._order, self._step)).rotations
        )
        return SKELETON.dofs_from_rotations(local)


class Limp(Scripted):
    """Lets everything fold: joints are driven to where nobody can stand."""

    def act(self, state, z):
        targets = torch.zeros(len(z), SKELETON.num_dof)
        targets[:, [17, 24]] = 2.5
        return targets


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
