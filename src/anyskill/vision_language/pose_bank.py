"""Known poses, against which a sentence can be judged before anything is learnt for it."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill.body.state import BodyState
from anyskill.motion.authored import authored_clips
from anyskill.motion.library import MotionLibrary
from anyskill.vision_language.bodyclip.model import BodyClip
from anyskill.vision_language.model import ImageTextModel
from anyskill.vision_language.picture_features import PictureFeatures, Views
from anyskill.vision_language.projection_states import MotionStates
from anyskill.vision_language.similarity import separability

POSES = 512
"""How many; one in a hundred is what a sentence is to pick out."""


def separable(model: ImageTextModel, poses: int = POSES) -> Callable[[Sequence[str]], list[float]]:
    """What says how clearly sentences pick a few poses out of the known ones; see ``similarity.separability``."""
    bank = pose_bank(model, poses)
    return lambda texts: separability(model.encode_texts(texts), bank).tolist()


def pose_bank(model: ImageTextModel, poses: int = POSES) -> Float[Tensor, "pose d"]:
    """Features of moments of the motions that come with this package.

    BodyCLIP knows them by their states, which takes no pictures; other models look at them from the front.
    """
    views = Views(count=1)
    states = known_poses(model.frames, views.interval, poses)
    if isinstance(model, BodyClip):
        return model.encode_states(states, views.interval)
    return PictureFeatures(model, views)(states)


def known_poses(frames: int, interval: float, poses: int = POSES) -> BodyState:
    """Moments of the motions that come with this package, always the same: ``(pose,)``, or ``(pose, frames)``.

    Args:
        frames: States of a moment.
        interval: Seconds from one of them to the next.
        poses: How many moments.
    """
    source = MotionStates(MotionLibrary(authored_clips()), frames, interval, varied=0)
    return source(poses, torch.Generator().manual_seed(0))
