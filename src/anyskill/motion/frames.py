"""All frames of many clips at once: poses at one rate, their velocities, as body states."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.motion.layout import Layout

if TYPE_CHECKING:
    from anyskill.motion.clip import Clip

_SIGMA = 2.0  # frames, of the Gaussian that smooths velocities
_RADIUS = 8  # frames; four sigmas


def frame_states(clips: Sequence["Clip"], fps: float) -> tuple[Layout, BodyState]:
    """States of all clips' frames at ``fps``, one clip after the other; float64.

    Velocities are differences smoothed by a Gaussian, as ``Clip.states`` says. A looped clip has those of the motion
    that goes on and on: differences and smoothing reach across the seam.
    """
    layout = Layout.of(clips, fps)
    skeleton = skeleton_of(clips[0].character)
    positions, rotations = skeleton.forward(*_resampled(clips, layout, fps))
    linear, angular = _velocities(positions, rotations, layout, fps)
    return layout, BodyState(positions, rotations, linear, angular, torch.zeros_like(positions))


def _resampled(clips: Sequence["Clip"], layout: Layout, fps: float) -> tuple[Tensor, Tensor]:
    """Root positions and local rotations of every row of the layout."""
    counts = torch.tensor([clip.num_frames for clip in clips])
    rates = torch.tensor([clip.fps / fps for clip in clips], dtype=torch.float64)
    steps = torch.where(layout.loops, (counts - 1) / layout.lengths, rates)  # source frames by frame
    clip, frame = layout.frames()
    time = torch.minimum(frame * steps[clip], counts[clip] - 1)
    low = torch.minimum(time.floor().long(), counts[clip] - 2)
    blend = (time - low)[:, None]
    source = (counts.cumsum(0) - counts)[clip] + low
    root = torch.cat([clip.root_positions for clip in clips])
    local = torch.cat([clip.rotations for clip in clips])
    return (
        torch.lerp(root[source], root[source + 1], blend),
        rotation.slerp(local[source], local[source + 1], blend),
    )


def _velocities(
    positions: Float[Tensor, "row body 3"], rotations: Float[Tensor, "row body 4"], layout: Layout, fps: float
) -> tuple[Float[Tensor, "row body 3"], Float[Tensor, "row body 3"]]:
    """Linear (m/s) and angular velocities (rad/s) of all bodies."""
    clip, frame = layout.frames()
    row, ahead, behind = (layout.rows(clip, frame + k) for k in (0, 1, -1))
    turn, shift = layout.displacement(clip, frame + 1)
    turn_back, shift_back = layout.displacement(clip, frame - 1)
    after = rotation.rotate(turn[:, None], positions[ahead]) + shift[:, None]
    before = rotation.rotate(turn_back[:, None], positions[behind]) + shift_back[:, None]
    held_end, held_begin = ahead == row, behind == row  # at the ends of a plain clip differences are one-sided
    span = 2.0 - held_end.double() - held_begin.double()
    linear = (after - before) * (fps / span)[:, None, None]

    # From one frame to the next. The turn between two frames is the velocity half-way: a frame gets the mean of its
    # two neighbours.
    step = rotation.multiply(rotation.multiply(turn[:, None], rotations[ahead]), rotation.conjugate(rotations))
    forward = rotation.to_rotation_vector(step) * fps
    forward = forward[torch.where(held_end, behind, row)]
    angular = 0.5 * (forward + rotation.rotate(turn_back[:, None], forward[behind]))
    smooth = _smooth(torch.cat((linear, angular), 1), layout)
    return smooth[:, : positions.shape[1]], smooth[:, positions.shape[1] :]


def _smooth(vectors: Float[Tensor, "row vector 3"], layout: Layout) -> Float[Tensor, "row vector 3"]:
    """Gaussian filter in time, clip by clip: beyond its ends a plain clip is held, a loop goes on."""
    offsets = torch.arange(-_RADIUS, _RADIUS + 1, dtype=vectors.dtype)
    kernel = torch.exp(-0.5 * (offsets / _SIGMA) ** 2)
    clip, frame = layout.frames(margin=_RADIUS)
    turn, _ = layout.displacement(clip, frame)
    padded = rotation.rotate(turn[:, None], vectors[layout.rows(clip, frame)])
    count = len(padded) - 2 * _RADIUS
    smooth = torch.zeros_like(padded[:count])
    for k, weight in enumerate((kernel / kernel.sum()).tolist()):
        smooth.add_(padded[k : k + count], alpha=weight)
    inside, frame = layout.frames()
    return smooth[layout.starts[inside] + 2 * _RADIUS * inside + frame]
