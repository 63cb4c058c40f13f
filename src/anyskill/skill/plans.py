"""What can be followed: single latents, sequences of a few, and clips, whose latents come in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import pad

from anyskill.controller.controller import Controller
from anyskill.skill.policy import LatentSequence, segment_at

SEGMENTS = 18  # latents of a plan at most
NEVER = 1 << 30  # start of a segment that does not take place


@dataclass(frozen=True)
class Plans:
    """Sequences of latents; a segment lasts until the next one starts, the last one stays, or all begin again."""

    latents: Float[Tensor, "n segment latent"]
    starts: Int[Tensor, "n segment"]
    """In decisions; the first is 0."""
    periods: Int[Tensor, "n"]
    """Decisions after which a sequence begins again; 0 for never."""
    further: Int[Tensor, "n"]
    """Choices that were made beyond that of the first latent."""

    def __len__(self) -> int:
        return len(self.latents)

    def __getitem__(self, index: Int[Tensor, "m"] | slice) -> "Plans":
        return Plans(*(part[index] for part in vars(self).values()))

    @classmethod
    def constant(cls, latents: Float[Tensor, "n latent"]) -> "Plans":
        """One latent each."""
        return cls.sequence(latents[:, None], torch.zeros(len(latents), 1, dtype=torch.long, device=latents.device))

    @classmethod
    def sequence(cls, latents: Float[Tensor, "n few latent"], starts: Int[Tensor, "n few"]) -> "Plans":
        """Latents that were chosen one by one, the last of which stays."""
        spare = SEGMENTS - latents.shape[1]
        return cls(
            torch.cat((latents, latents[:, -1:].expand(-1, spare, -1)), 1),
            pad(starts, (0, spare), value=NEVER),
            torch.zeros_like(starts[:, 0]),
            (starts < NEVER).sum(1) - 1,
        )

    @classmethod
    def stretch(
        cls,
        path: Float[Tensor, "place latent"],
        first: Int[Tensor, "n"],
        last: Int[Tensor, "n"],
        count: Int[Tensor, "n"],
        again: Bool[Tensor, "n"],
    ) -> "Plans":
        """So many decisions of a path from a first latent on; then the latent it has come to stays, or all come again.

        A latent stands for two seconds, so that of a path's last one there is more to come: it is followed meanwhile.
        """
        turns = torch.arange(SEGMENTS, device=path.device)
        latents = path[(first[:, None] + turns).minimum(last[:, None])]
        starts = torch.where(turns < count[:, None], turns, NEVER)
        return cls(latents, starts, torch.where(again, count, 0), torch.ones_like(count))

    @classmethod
    def cat(cls, *plans: "Plans") -> "Plans":
        """All of them."""
        return cls(*(torch.cat(parts) for parts in zip(*(vars(plan).values() for plan in plans), strict=True)))

    @classmethod
    def of(cls, skills: Sequence[LatentSequence]) -> "Plans":
        """What some skills follow."""
        latents = [skill.latents[torch.arange(SEGMENTS).clamp_max(len(skill.latents) - 1)] for skill in skills]
        starts = [pad(skill.starts, (0, SEGMENTS - len(skill.starts)), value=NEVER) for skill in skills]
        stacked = torch.stack(starts)
        periods = torch.stack([skill.period for skill in skills])
        return cls(torch.stack(latents), stacked, periods, (stacked < NEVER).sum(1) - 1)

    def at(self, decision: Int[Tensor, "n"] | int) -> Float[Tensor, "n latent"]:
        """What each follows in a decision."""
        segment = segment_at(decision, self.starts, self.periods)
        return self.latents[torch.arange(len(self), device=segment.device), segment]

    def skill(self, index: int) -> LatentSequence:
        """One of them, as a skill."""
        used = self.starts[index] < NEVER
        return LatentSequence(
            self.latents[index][used].clone(), self.starts[index][used].clone(), self.periods[index].clone()
        )


@dataclass(frozen=True)
class Pieces:
    """All clips of a controller in order, long ones in equal pieces that are no longer than a plan."""

    path: Float[Tensor, "place latent"]
    clip: Int[Tensor, "n"]
    first: Int[Tensor, "n"]
    """Of its places on the path."""
    last: Int[Tensor, "n"]
    end: Int[Tensor, "n"]
    """The place after the last one of its clip."""

    @classmethod
    def of(cls, controller: Controller) -> "Pieces":
        """Those of a controller's paths."""
        rows = []
        for clip, (_, begin, end) in enumerate(controller.path_bounds):
            count = -(-(end - begin) // SEGMENTS)
            bounds = [begin + (end - begin) * piece // count for piece in range(count + 1)]
            rows += [(clip, first, next_one - 1, end) for first, next_one in pairwise(bounds)]
        numbers = torch.tensor(rows, dtype=torch.long, device=controller.paths.device).view(-1, 4)
        return cls(controller.paths, *numbers.T.contiguous())

    def plans(self) -> Plans:
        """Each again and again."""
        again = torch.ones_like(self.clip, dtype=torch.bool)
        return Plans.stretch(self.path, self.first, self.last, self.last - self.first + 1, again)
