"""How well pictures match a sentence: the forms the paper compares in its Table 3, as functions of unit features.

Every score is a pure function; a leading batch of any shape goes through. Features are of unit length unless a
docstring says otherwise. A video model needs no form of its own: its feature is compared by ``cosine``.
"""

import math

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import normalize


def cosine(image: Float[Tensor, "*batch d"], text: Float[Tensor, "*#batch d"]) -> Float[Tensor, "*batch"]:
    """AnySkill, Eq. 3, first term: cos(f_I, f_d) = f_I · f_d / (‖f_I‖ ‖f_d‖), for features of any length."""
    return torch.nn.functional.cosine_similarity(image, text, dim=-1)


def goal_baseline(
    image: Float[Tensor, "*batch d"],
    text: Float[Tensor, "*#batch d"],
    baseline: Float[Tensor, "*#batch d"],
    alpha: float = 0.5,
) -> Float[Tensor, "*batch"]:
    """Goal-baseline regularisation (VLM-RMs, Definition 1): what lies off the line from baseline to goal counts less.

    R(s) = 1 − ½ ‖α·proj_L(s) + (1 − α)·s − g‖², with s the image, g the goal text, b the baseline text ("a humanoid
    standing"), all of unit length, and L the line through b and g. At α = 0 this is the cosine, at α = 1 only the
    place along L counts. Where b and g coincide there is no line, and the cosine is returned.
    """
    along = text - baseline
    squared = along.square().sum(-1, keepdim=True)
    exists = squared > 1e-12
    place = ((image - baseline) * along).sum(-1, keepdim=True) / torch.where(exists, squared, 1.0)
    projected = torch.where(exists, baseline + place * along, image)
    return 1 - 0.5 * (alpha * projected + (1 - alpha) * image - text).square().sum(-1)


def clip_score(image: Float[Tensor, "*batch d"], text: Float[Tensor, "*#batch d"]) -> Float[Tensor, "*batch"]:
    """CLIP-S (CLIPScore, Eq. 1): 2.5 · max(cos, 0)."""
    return 2.5 * cosine(image, text).clamp_min(0)


def average_pool(images: Float[Tensor, "*batch frame d"]) -> Float[Tensor, "*batch d"]:
    """One feature for several pictures: their mean, made unit length again (the AvgPool row); compare by ``cosine``."""
    return normalize(images.mean(dim=-2), dim=-1)


def frame_strip(
    frames: UInt8[Tensor, "n frame height width 3"], columns: int | None = None
) -> UInt8[Tensor, "n strip_height strip_width 3"]:
    """K pictures tiled into one, in reading order, for an image model to see time; ``columns`` defaults to ⌈√K⌉.

    Places left over are black.
    """
    n, count, height, width, channels = frames.shape
    columns = columns or math.isqrt(count - 1) + 1
    rows = -(-count // columns)
    tiles = frames.new_zeros(n, rows * columns, height, width, channels)
    tiles[:, :count] = frames
    grid = tiles.view(n, rows, columns, height, width, channels).transpose(2, 3)
    return grid.reshape(n, rows * height, columns * width, channels)


def separability(
    texts: Float[Tensor, "text d"], bank: Float[Tensor, "pose d"], share: float = 0.01
) -> Float[Tensor, "text"]:
    """How clearly each sentence picks a few poses out of a bank: the better separated, the better a reward it makes.

    (mean of the best ``share`` of similarities − mean of all) / standard deviation of all. A sentence that fits all
    poses alike scores low; 2.7 is what Gaussian noise gives at one percent.
    """
    similarities = texts @ bank.T
    best = similarities.topk(max(1, round(share * bank.shape[0])), dim=1).values
    return (best.mean(1) - similarities.mean(1)) / similarities.std(1).clamp_min(1e-8)
