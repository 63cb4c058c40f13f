"""States to train a projection on: frames of motions, and variations of them that no motion has."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from anyskill import rotation
from anyskill.body.skeleton import Skeleton
from anyskill.body.state import BodyState
from anyskill.motion.ground import lowest_points
from anyskill.motion.library import MotionLibrary
from anyskill.vision_language.bodyclip.moments import with_velocities
from anyskill.vision_language.projection_training import StateSource

EXCHANGE = 0.5  # chance that the arms are another state's
LARGEST_NOISE = 0.4  # rad, of every degree of freedom
LARGEST_TILT = 0.7  # rad, standard deviation of the root's tilt
TILTED = 0.3  # chance of a tilt


class MotionStates:
    """Draws states, or histories, from a library of motions; some of them varied.

    Args:
        library: The motions. Entries of a data set with ``mirror: true`` are seen from both sides.
        frames: States of a history, oldest first; 1 gives plain states.
        interval: Seconds from one to the next.
        varied: Share that is varied at random: arms of another state, noise on all joints within their ranges, a tilt.
    """

    def __init__(self, library: MotionLibrary, frames: int = 1, interval: float = 0.2, varied: float = 0.5) -> None:
        self.library, self.frames, self.varied = library, frames, varied
        self._step = max(1, round(interval * library.fps))

    def __call__(self, count: int, draws: torch.Generator) -> BodyState:
        """States of batch shape ``(count,)``, or ``(count, frames)``."""
        clip, frame = self.library.sample(count, draws)
        past = self._step * torch.arange(self.frames - 1, -1, -1, device=self.library.device)
        frames = frame[:, None] - past
        few = round(self.varied * count)
        states = self._at(clip[few:], frames[few:])
        if few:
            states = BodyState.cat((self._varied(clip[:few], frames[:few], draws), states))
        return states[:, 0] if self.frames == 1 else states

    def _at(self, clip: Int[Tensor, "n"], frames: Int[Tensor, "n frame"]) -> BodyState:
        """Frames of clips, several of each."""
        return self.library.states(clip[:, None].expand_as(frames), frames)

    def _varied(self, clip: Int[Tensor, "n"], frames: Int[Tensor, "n frame"], draws: torch.Generator) -> BodyState:
        """Variations of histories, with the velocities that belong to them."""
        around = (frames[..., None] + torch.tensor([-1, 0, 1], device=frames.device)).flatten(1)
        varied = vary(self._at(clip, around), self.library.skeleton, draws)
        threes = torch.arange(around.shape[1], device=frames.device).view(-1, 3)
        return with_velocities(varied[:, threes], 2 / self.library.fps)


def mixed(*sources: StateSource) -> StateSource:
    """Draws equally from several sources."""

    def draw(count: int, draws: torch.Generator) -> BodyState:
        shares = [(count + i) // len(sources) for i in range(len(sources))]
        return BodyState.cat([source(share, draws) for source, share in zip(sources, shares, strict=True) if share])

    return draw


def vary(histories: BodyState, skeleton: Skeleton, draws: torch.Generator) -> BodyState:
    """Poses that nobody performed: of every history, all states are changed in the same way.

    Some get the arms of another history; joints are moved by noise, of another strength for each history, and stay
    within their ranges; some bodies are tilted. Each keeps its height above the ground. Velocities are lost (zero).
    """

    def chance(*shape: int) -> Tensor:
        return torch.rand(shape, generator=draws, device=draws.device).to(histories.positions)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=draws, device=draws.device).to(histories.positions)

    n = len(histories.positions)
    local = skeleton.local_rotations(histories.rotations)
    dofs = skeleton.dofs_from_rotations(local)
    other = torch.randperm(n, generator=draws, device=draws.device).to(dofs.device)
    exchanged = (chance(n, 1, 1) < EXCHANGE) & _of_arms(skeleton).to(dofs.device)
    dofs = torch.where(exchanged, dofs[other], dofs)
    noise = LARGEST_NOISE * chance(n, 1, 1) * normal(n, 1, skeleton.num_dof)
    low, high = skeleton.limits.to(dofs).unbind(-1)
    dofs = torch.minimum(torch.maximum(dofs + noise, low), high)
    axis = torch.nn.functional.pad(normal(n, 1, 2), (0, 1))  # level
    tilt = rotation.from_rotation_vector(LARGEST_TILT * axis * (chance(n, 1, 1) < TILTED))
    root = rotation.multiply(tilt, histories.rotations[..., 0, :])
    turned = BodyState.at_rest(skeleton, histories.positions[..., 0, :], skeleton.rotations_from_dofs(root, dofs))
    sunk = _clearance(turned, skeleton) - _clearance(histories, skeleton).clamp_min(0)
    return BodyState.at_rest(
        skeleton,
        histories.positions[..., 0, :] - torch.nn.functional.pad(sunk[..., None], (2, 0)),
        skeleton.rotations_from_dofs(root, dofs),
    )


def _clearance(states: BodyState, skeleton: Skeleton) -> Float[Tensor, "*batch"]:
    """Height (m) of the body's lowest point."""
    return lowest_points(skeleton.character, states.positions, states.rotations).amin(-1)


def _of_arms(skeleton: Skeleton) -> Tensor:
    """Which degrees of freedom are those of the arms."""
    mask = torch.zeros(skeleton.num_dof, dtype=torch.bool)
    for body, dofs in skeleton.dof_slices.items():
        mask[dofs] = "arm" in skeleton.names[body]
    return mask
