"""Smoothness: how jerky simulated motion is, how feet slide, how deep bodies sink; measured as of a clip."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from anyskill.body.humanoid import Character
from anyskill.body.state import BodyState
from anyskill.motion.check import jerk, penetration, sliding
from anyskill.motion.ground import lowest_points
from anyskill.sim.engine import CONTROL_RATE


@dataclass(frozen=True)
class Smoothness:
    """The measures of ``motion.check`` of many motions."""

    jerk: Float[Tensor, "motion"]
    """m/s³."""
    sliding: Float[Tensor, "motion"]
    """Of feet on the ground, m/s."""
    penetration: Float[Tensor, "motion"]
    """Greatest depth below the ground, m."""


def smoothness(states: BodyState, lengths: Int[Tensor, "motion"], character: Character) -> Smoothness:
    """Measure motions at 30 Hz.

    Args:
        states: (time, motion), of simulated worlds or of clips.
        lengths: Frames that count, of each motion.
        character: Whose motion.
    """
    rows = []
    for motion, length in enumerate(lengths.tolist()):
        positions = states.positions[:length, motion].double().cpu()
        rotations = states.rotations[:length, motion].double().cpu()
        rows.append(
            (
                jerk(positions, CONTROL_RATE),
                sliding(character, positions, rotations, CONTROL_RATE),
                penetration(lowest_points(character, positions, rotations).amin(-1)),
            )
        )
    return Smoothness(*torch.tensor(rows).unbind(1))
