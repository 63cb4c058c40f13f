"""Search instead of learning: which latents, held or in a row, make pictures match a sentence?

Seconds, where PPO takes minutes. What is found is a skill of its own, and where PPO may begin.
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from anyskill.controller.controller import Controller
from anyskill.learning.config import require
from anyskill.sim.engine import Engine
from anyskill.skill.features import FeatureSource
from anyskill.skill.plans import NEVER, SEGMENTS, Pieces, Plans
from anyskill.skill.policy import LatentSequence
from anyskill.skill.rewards import nearest, style
from anyskill.skill.starts import StartConfig
from anyskill.skill.trials import Trials, Tryout

SHORTEST = 6  # of a stretch of a clip, a second: who comes back sooner trembles halfway


@dataclass(frozen=True)
class SearchConfig:
    """How long, how wide."""

    worlds: int = 512
    """In which plans are tried side by side."""
    decisions: int = 18
    """Of a trial (1/6 s): three seconds."""
    tail: int = 9
    """So many of the last decisions are scored."""
    final: int = 30
    """Decisions of a finalist's trial, an episode: a movement that is over halfway is worth half. All are scored that
    come after what is left out of a shorter trial."""
    lying_penalty: float = 0.5
    """Taken off the similarity while the body is down; 0 for sentences about lying."""
    style_weight: float = 0.3
    """ω_s of Eq. 3, added for a latent of the bank and less for others: what no clip has shown fools scorers easily."""
    centres: int = 8
    """Best latents of the bank that are refined side by side."""
    rounds: int = 3
    """Of refinement by the cross-entropy method; 0 leaves it out."""
    spread: float = 0.5
    """Expected distance of the first round's latents from their centre, before they are normalised."""
    elite: float = 0.2
    """Share of a round's latents from which the next follows."""
    sequences: bool = True
    """Whether sequences of two or three latents are tried."""
    clips: bool = True
    """Whether stretches of clips are played, by their latents in order."""
    transits: int = 32
    """Best latents of the bank that may be the first ones of a sequence."""
    latent_cost: float = 0.02
    """Taken off for each latent of a sequence but the first, and once for a clip: what a single one does as well, it
    does more steadily."""
    start: StartConfig = field(default_factory=lambda: StartConfig(moving=0.0))
    """Where trials begin."""

    def __post_init__(self) -> None:
        require(self, "tail", 1 <= self.tail <= self.decisions, "at least 1, and no more than decisions")
        require(self, "final", self.final >= self.decisions, "at least as many as decisions")
        for name in ("worlds", "centres", "transits"):
            require(self, name, getattr(self, name) >= 1, "at least 1")
        require(self, "elite", 0 < self.elite <= 1, "more than 0, at most 1")

    @property
    def settled(self) -> int:
        """The first decision of a trial that is scored."""
        return self.decisions - self.tail

    def scores(
        self, plans: Plans, trials: Trials, text: Float[Tensor, "d"], known: Float[Tensor, "m latent"]
    ) -> Float[Tensor, "n"]:
        """Mean similarity after the way there, less the penalty for lying; and how near the last latent is to clips.

        This is Eq. 3, what a policy is paid, with the nearest latent of all clips (``known``); less what further
        choices cost.
        """
        return trials.scores(text, self.lying_penalty) + self.extra(plans, known)

    def extra(self, plans: Plans, known: Float[Tensor, "m latent"]) -> Float[Tensor, "n"]:
        """What plans earn whatever the sentence is; see ``scores``."""
        last = plans.latents[:, -1]
        return self.style_weight * style(last, nearest(last, known)) - self.latent_cost * plans.further


@dataclass(frozen=True)
class Found:
    """What a search has found."""

    skill: LatentSequence
    """The best of all, where PPO may begin."""
    score: float
    """Its ``LatentSearch.score``."""
    ranking: Int[Tensor, "bank"]
    """Latents of the bank, best first."""
    stages: dict[str, float]
    """Best score of the finalists of each stage: ``bank``, ``refined``, ``sequences``, ``clips``."""


class LatentSearch:
    """Tries plans in all worlds of an engine at once.

    Args:
        engine: Physics.
        controller: Frozen.
        source: Image features of states.
        text: Feature of the sentence.
        generator: Of everything random here, on the engine's device; with equal ones searches are equal.
        config: Settings.
    """

    def __init__(
        self,
        engine: Engine,
        controller: Controller,
        source: FeatureSource,
        text: Float[Tensor, "d"],
        generator: torch.Generator,
        config: SearchConfig | None = None,
    ) -> None:
        self.engine, self.controller, self.text = engine, controller, text
        self.generator, self.config = generator, config or SearchConfig()
        self.trials = Tryout(engine, controller, source, generator, self.config.start)

    def __call__(self) -> Found:
        """Score the bank, refine the best, try sequences of them and clips, and compare finalists in many worlds."""
        bank = self.controller.latents
        ranking = self._tried(Plans.constant(bank)).argsort(descending=True, stable=True)
        best = ranking[: self.config.centres]
        finalists = {"bank": Plans.constant(bank[best])}
        if self.config.rounds:
            finalists["refined"] = Plans.constant(self.refine(bank[best]))
        transits = bank[ranking[: self.config.transits]]
        if self.config.sequences:
            last = torch.cat([plans.latents[:, -1] for plans in finalists.values()])
            plans = self._sequences(transits, last)
            finalists["sequences"] = plans[self._leaders(self._tried(plans))]
        if self.config.clips:
            finalists["clips"] = self._clips()
        # Whoever was best of many was also lucky: finalists are tried again, each in as many worlds as there are.
        plans = Plans.cat(*finalists.values())
        final = self._tried(plans, self.config.final)
        winner = int(final.argmax())
        parts = dict(zip(finalists, final.split([len(group) for group in finalists.values()]), strict=True))
        return Found(
            plans.skill(winner),
            float(final[winner]),
            ranking,
            {name: float(part.max()) for name, part in parts.items()},
        )

    def _leaders(self, scores: Float[Tensor, "n"]) -> Int[Tensor, "few"]:
        """Which are best; as many as are refined."""
        return scores.argsort(descending=True, stable=True)[: self.config.centres]

    def _tried(self, plans: Plans, decisions: int | None = None) -> Float[Tensor, "n"]:
        """Scores of plans, after trials of all."""
        trials = self.trials(plans, decisions or self.config.decisions, self.config.settled)
        return self.config.scores(plans, trials, self.text, self.controller.known)

    def refine(self, centres: Float[Tensor, "centre latent"]) -> Float[Tensor, "centre latent"]:
        """Cross-entropy method on the sphere, for each centre on its own.

        Latents are drawn from a normal distribution about the centre and normalised; mean and standard deviation of
        the best are those of the next round.
        """
        count, size = centres.shape
        samples = max(self.engine.num_worlds // count, 2)
        elites = max(round(self.config.elite * samples), 2)
        deviation = torch.full_like(centres, self.config.spread / size**0.5)
        for _ in range(self.config.rounds):
            noise = torch.randn(
                count, samples, size, generator=self.generator, device=centres.device, dtype=centres.dtype
            )
            noise[:, 0] = 0.0  # the centre itself stays in the race
            drawn = normalize(centres[:, None] + deviation[:, None] * noise, dim=-1)
            plans = Plans.constant(drawn.flatten(0, 1))
            scores = self._tried(plans).view(count, samples)
            chosen = drawn.gather(1, scores.topk(elites, 1).indices[..., None].expand(-1, -1, size))
            centres = normalize(chosen.mean(1), dim=-1)
            deviation = chosen.std(1)
        return centres

    def _sequences(self, first: Float[Tensor, "m latent"], last: Float[Tensor, "k latent"]) -> Plans:
        """Random ones, one a world: one or two of ``first``, up to two thirds of a second each, then one of ``last``.

        All is settled when scores begin to count: on the way somewhere, a body may look as if it did what it is asked.
        """
        n = self.engine.num_worlds
        transits = (first[self._draw(n, 0, len(first))], first[self._draw(n, 0, len(first))])
        target = last[self._draw(n, 0, len(last))]
        second = self._draw(n, 2, 5)
        third = second + self._draw(n, 2, 5)
        short = self._draw(n, 0, 2).bool()  # two latents: the second is the one that stays
        latents = torch.stack((transits[0], torch.where(short[:, None], target, transits[1]), target), 1)
        starts = torch.stack((torch.zeros_like(second), second, torch.where(short, NEVER, third)), 1)
        return Plans.sequence(latents, starts)

    def _clips(self) -> Plans:
        """The best of every clip, again and again, and of stretches, one a world, of those clips that were best so.

        What is done once, a kick, or to and fro, a wave, is nothing that a latent could go on doing as it is held.
        """
        pieces = Pieces.of(self.controller)
        whole = pieces.plans()
        scores = self._tried(whole)
        lowest = scores.new_full((int(pieces.clip[-1]) + 1,), -torch.inf)
        leaders = self._leaders(lowest.scatter_reduce(0, pieces.clip, scores, "amax"))
        chosen = leaders[self._draw(self.engine.num_worlds, 0, len(leaders))]
        begin = torch.searchsorted(pieces.clip, chosen)
        parts = self._stretches(pieces.first[begin], pieces.end[begin])
        return Plans.cat(whole, parts)[self._leaders(torch.cat((scores, self._tried(parts))))]

    def _stretches(self, begin: Int[Tensor, "n"], end: Int[Tensor, "n"]) -> Plans:
        """Random ones of the clips between those places, of a second or more; half of them again and again."""
        n = len(begin)
        chance = torch.rand(n, generator=self.generator, device=begin.device)
        first = begin + (chance * (end - begin)).long()
        count = self._draw(n, SHORTEST, SEGMENTS + 1)
        return Plans.stretch(self.controller.paths, first, end - 1, count, self._draw(n, 0, 2).bool())

    def _draw(self, n: int, low: int, high: int) -> Int[Tensor, "n"]:
        return torch.randint(low, high, (n,), generator=self.generator, device=self.text.device)
