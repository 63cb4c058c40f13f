"""The reward of the high-level policy (AnySkill, Eq. 3, and the forms of its Table 3) from small pure functions."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill.body.state import BodyState
from anyskill.learning.config import require
from anyskill.skill.errors import SkillError
from anyskill.vision_language import similarity

Form = Literal["cosine", "vlm-rm", "clip-s", "avgpool", "video"]
Closeness = Literal["exponential", "cosine"]
Score = Callable[
    [Float[Tensor, "world past d"], Float[Tensor, "world d"], Float[Tensor, "d"]],
    Float[Tensor, "world"],
]
"""How well the last features, newest first, match a sentence's; the last argument is the baseline sentence's."""

SCORES: dict[Form, Score] = {
    "cosine": lambda past, text, _: similarity.cosine(past[:, 0], text),
    "vlm-rm": lambda past, text, baseline: similarity.goal_baseline(past[:, 0], text, baseline),
    "clip-s": lambda past, text, _: similarity.clip_score(past[:, 0], text),
    "avgpool": lambda past, text, _: similarity.cosine(similarity.average_pool(past), text),
    "video": lambda past, text, _: similarity.cosine(past[:, 0], text),  # the model itself looks at several pictures
}


@dataclass(frozen=True)
class RewardConfig:
    """r = ω_c·score + ω_s·closeness of z and ẑ + the velocity term."""

    form: Form = "cosine"
    """How pictures and sentence are compared."""
    similarity_weight: float = 1.0
    """ω_c; the paper does not give it, in effect the released code has 0.4."""
    style_weight: float = 0.1
    """ω_s; the paper does not give it, the released code has 0.4."""
    nearest: bool = True
    """Whether ẑ is the latent of all clips that is nearest to z; Eq. 3 draws one of the bank."""
    closeness: Closeness = "exponential"
    """exp(−4‖z − ẑ‖₂) as in Eq. 3, or (1 + cos)/2 as in the released code."""
    velocity_weight: float = 0.0
    """Of the velocity term; 0.1 in the ``+velocity`` ablation."""
    speed: float = 0.2
    """Wanted by the velocity term along +x (m/s)."""
    pool: int = 8
    """Features ``avgpool`` takes the mean of."""

    def __post_init__(self) -> None:
        require(self, "form", self.form in SCORES, f"one of {', '.join(SCORES)}")
        require(self, "closeness", self.closeness in STYLES, f"one of {', '.join(STYLES)}")
        for name in ("similarity_weight", "style_weight", "velocity_weight"):
            require(self, name, getattr(self, name) >= 0, "at least 0")
        require(self, "pool", self.pool >= 1, "at least 1")

    @property
    def past(self) -> int:
        """Features the form looks back over."""
        return self.pool if self.form == "avgpool" else 1

    def named(self, name: str) -> "RewardConfig":
        """These settings with the form of that name: ``cosine``, ``vlm-rm+velocity``, ``+velocity``.

        Raises:
            SkillError: There is no such form.
        """
        first, plus, extra = name.partition("+")
        forms: tuple[Form, ...] = get_args(Form)
        for form in forms:
            if form == (first or "cosine") and (not plus or extra == "velocity"):
                return replace(self, form=form, velocity_weight=0.1 if plus else 0.0)
        raise SkillError(f"there is no reward {name}; take {', '.join(SCORES)}, or one of them with +velocity.")


def drawn(
    z: Float[Tensor, "world latent"], bank: Float[Tensor, "bank latent"], generator: torch.Generator
) -> Float[Tensor, "world latent"]:
    """ẑ of Eq. 3: for each world a latent of the bank, all equally likely."""
    return bank[torch.randint(len(bank), (len(z),), generator=generator, device=z.device)]


def nearest(z: Float[Tensor, "world latent"], bank: Float[Tensor, "bank latent"]) -> Float[Tensor, "world latent"]:
    """Instead of it the latent that is nearest to z, of those given."""
    return bank[torch.cdist(z, bank).argmin(1)]


def style(z: Float[Tensor, "world latent"], target: Float[Tensor, "world latent"]) -> Float[Tensor, "world"]:
    """Second term of Eq. 3 without its weight: exp(−4‖z − ẑ‖₂), 1 where z is ẑ."""
    return torch.exp(-4.0 * (z - target).norm(dim=-1))


def released_style(z: Float[Tensor, "world latent"], target: Float[Tensor, "world latent"]) -> Float[Tensor, "world"]:
    """What the released code has instead: (1 + ⟨z, ẑ⟩)/2 for unit vectors, 1 where z is ẑ."""
    return (1.0 + (z * target).sum(-1)) / 2.0


STYLES: dict[Closeness, Callable[[Float[Tensor, "world latent"], Float[Tensor, "world latent"]], Tensor]] = {
    "exponential": style,
    "cosine": released_style,
}


def velocity(state: BodyState, speed: float) -> Float[Tensor, "world"]:
    """exp(−¼ (v* − v)²) with v the pelvis' velocity along +x (m/s), and 0 for a body that does not move that way."""
    forward = state.linear_velocities[:, 0, 0]
    return torch.where(forward > 0, torch.exp(-0.25 * (speed - forward).square()), 0.0)
