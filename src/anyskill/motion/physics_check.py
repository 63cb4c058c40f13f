"""Can a body do it? Clips tracked by PD control in the simulator, with nothing to keep the balance."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill.body.state import BodyState
from anyskill.motion.clip import Clip
from anyskill.motion.errors import MotionError

if TYPE_CHECKING:  # the simulator is handed in: motions know nothing of it
    from anyskill.sim.engine import Engine

CONTROL_FPS = 30.0
LOST = 0.5  # m between the simulated root and the clip's


def physics_check(clips: Sequence[Clip], engine: "Engine") -> Float[Tensor, "clip"]:
    """Seconds each clip is followed before the root is more than 0.5 m from where it should be.

    Every clip starts in its first frame in a world of its own; the PD targets are the joint angles of the next frame.
    A clip that is followed to its end gets its whole duration. Without feedback a body loses its balance sooner or
    later: the figure ranks clips, and a clip that is lost at once is not physical.

    Args:
        clips: Of the engine's character, at any rate.
        engine: With one world a clip.

    Raises:
        MotionError: The numbers of clips and worlds differ, or a clip is of another character.
    """
    skeleton = engine.skeleton
    if len(clips) != engine.num_worlds:
        raise MotionError(f"{len(clips)} clips need as many worlds, but the engine has {engine.num_worlds}.")
    for clip in clips:
        if clip.character != skeleton.character:
            raise MotionError(f"clip {clip.name} is of {clip.character.name}, not of {skeleton.character.name}.")
    clips = [clip if clip.fps == CONTROL_FPS else clip.resampled(CONTROL_FPS) for clip in clips]
    lengths = torch.tensor([clip.num_frames - 1 for clip in clips])
    first = BodyState.stack([clip.states()[0] for clip in clips])
    device = engine.device
    engine.reset(
        torch.arange(len(clips), device=device), first.qpos(skeleton).to(device), first.qvel(skeleton).to(device)
    )
    roots = _padded([clip.root_positions for clip in clips])
    targets = _padded([skeleton.dofs_from_rotations(clip.rotations) for clip in clips])
    followed = torch.zeros(len(clips))
    alive = torch.ones(len(clips), dtype=torch.bool)
    for step in range(1, int(lengths.max()) + 1):
        blown_up = engine.step(targets[:, step].float().to(device)).cpu()
        away = (engine.state().positions[:, 0].cpu() - roots[:, step]).norm(dim=-1)
        alive &= away < LOST
        alive[blown_up] = False
        followed += alive & (step <= lengths)
        if not alive.any():
            break
    return followed / CONTROL_FPS


def _padded(rows: list[Float[Tensor, "frame n"]]) -> Float[Tensor, "clip longest n"]:
    """All clips in one tensor, each holding its last frame."""
    longest = max(len(row) for row in rows)
    return torch.stack([torch.cat((row, row[-1:].expand(longest - len(row), -1))) for row in rows])
