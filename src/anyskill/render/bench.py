"""Benchmark of pictures: body states in, torch pixels out, against the bare ray tracer on the same scene."""

import mujoco_warp as mjw
import torch
import warp as wp

from anyskill.bench import Case
from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.render.raytracer import Raytracer


def cases(quick: bool = False) -> list[Case]:
    """Pictures a second at two sizes, with and without shadows; on a GPU if there is one."""
    gpu = torch.cuda.is_available()
    worlds, device = (1024, "cuda") if gpu else (8, "cpu")
    sizes = (112,) if quick else (112, 224)
    return [_case(worlds, device, size, shadows) for size in sizes for shadows in (True, False)]


def _case(worlds: int, device: str, size: int, shadows: bool) -> Case:
    raytracer = Raytracer(worlds, size=(size, size), device=device, shadows=shadows)
    states = random_states(worlds).to(torch.float32).to(device)
    raytracer.render(states)

    def all_in() -> float:
        raytracer.render(states)
        wp.synchronize_device(device)
        return worlds

    def bare() -> float:
        mjw.render(raytracer.model, raytracer.data, raytracer.context)
        wp.synchronize_device(device)
        return worlds

    return Case(f"{size}×{size}{' with shadows' if shadows else ''}, {device}", "pictures/s", all_in, reference=bare)


def random_states(count: int) -> BodyState:
    """Standing bodies with joints anywhere within half of their range."""
    skeleton = skeleton_of(HUMANOID)
    low, high = 0.5 * skeleton.limits.T
    dofs = low + (high - low) * torch.rand(count, skeleton.num_dof, generator=torch.Generator().manual_seed(0))
    root, upright = skeleton.pose(skeleton.initial_qpos.expand(count, -1))
    return BodyState.at_rest(skeleton, root, skeleton.rotations_from_dofs(upright[:, 0], dofs))
