"""Search instead of learning: which latents, held or in a row, make pictures match a sentence?

Seconds, where PPO takes minutes. What is found is a skill of its own, and where PPO may begin.
"""

from dataclasses import dataclass, field
from itertools import pairwise

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from anyskill.controller.controller import Controller
from anyskill.learning.config import require
from anyskill.sim.engine import Engine
from anyskill.skill.environment import CONTROLS
from anyskill.skill.features import FeatureSource, Onlooker
from anyskill.skill.policy import LatentSequence, segment_at
from anyskill.skill.rewards import nearest, style
from anyskill.skill.starts import StartConfig, Starts
from anyskill.skill.termination import LYING
from anyskill.vision_language.similarity import cosine

SEGMENTS = 18  # latents of a plan at most
SHORTEST = 6  # of a stretch of a clip, a second: who comes back sooner trembles halfway
NEVER = 1 << 30  # start of a segment that does not take place


@dataclass(frozen=True)
class SearchConfig:
    """How long, how wide."""

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
        for name in ("centres", "transits"):
            require(self, name, getattr(self, name) >= 1, "at least 1")
        require(self, "elite", 0 < self.elite <= 1, "more than 0, at most 1")


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
            torch.nn.functional.pad(starts, (0, spare), value=NEVER),
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

    def at(self, decision: int) -> Float[Tensor, "n latent"]:
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
class Trials:
    """How plans went, means over their repetitions."""

    similarity: Float[Tensor, "n decision"]
    """Cosine with the sentence at the end of each decision."""
    lying: Float[Tensor, "n decision"]
    """Share of bodies that were down."""


@dataclass(frozen=True)
class Found:
    """What a search has found."""

    skill: LatentSequence
    """The best of all, where PPO may begin."""
    score: float
    """Its ``LatentSearch.score``."""
    ranking: Int[Tensor, "bank"]
    """Latents of the bank, best first."""
    bank_scores: Float[Tensor, "bank"]
    """Scores in the bank's order."""
    bank: Trials
    """Curves in the bank's order."""
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
        self._onlooker = Onlooker(source, engine.state())
        self.generator, self.config = generator, config or SearchConfig()
        self._starts = Starts(engine, controller, generator, self.config.start)

    def __call__(self) -> Found:
        """Score the bank, refine the best, try sequences of them and clips, and compare finalists in many worlds."""
        bank = self.controller.latents
        plans = Plans.constant(bank)
        trials = self.trials(plans)
        scores = self.score(plans, trials)
        ranking = scores.argsort(descending=True, stable=True)
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
            scores,
            trials,
            {name: float(part.max()) for name, part in parts.items()},
        )

    def _leaders(self, scores: Float[Tensor, "n"]) -> Int[Tensor, "few"]:
        """Which are best; as many as are refined."""
        return scores.argsort(descending=True, stable=True)[: self.config.centres]

    def _tried(self, plans: Plans, decisions: int | None = None) -> Float[Tensor, "n"]:
        """Scores of plans, after trials of all."""
        return self.score(plans, self.trials(plans, decisions))

    def trials(self, plans: Plans, decisions: int | None = None) -> Trials:
        """Run plans from the start; fewer than worlds are repeated, more are run in several goes."""
        worlds, decisions = self.engine.num_worlds, decisions or self.config.decisions
        goes = [self._go(plans[start : start + worlds], decisions) for start in range(0, len(plans), worlds)]
        return Trials(torch.cat([go.similarity for go in goes]), torch.cat([go.lying for go in goes]))

    def score(self, plans: Plans, trials: Trials) -> Float[Tensor, "n"]:
        """Mean similarity after the way there, less the penalty for lying; and how near the last latent is to clips.

        This is Eq. 3, what a policy is paid, with the nearest latent of all clips; less what further choices cost.
        """
        there = slice(self.config.decisions - self.config.tail, None)
        similarity = (trials.similarity - self.config.lying_penalty * trials.lying)[:, there].mean(1)
        last = plans.latents[:, -1]
        closeness = style(last, nearest(last, self.controller.known))
        return similarity + self.config.style_weight * closeness - self.config.latent_cost * plans.further

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
        clip, first, last, end = self._pieces()
        again = torch.ones_like(clip, dtype=torch.bool)
        whole = Plans.stretch(self.controller.paths, first, last, last - first + 1, again)
        scores = self._tried(whole)
        lowest = scores.new_full((int(clip[-1]) + 1,), -torch.inf)
        leaders = self._leaders(lowest.scatter_reduce(0, clip, scores, "amax"))
        chosen = leaders[self._draw(self.engine.num_worlds, 0, len(leaders))]
        begin = torch.searchsorted(clip, chosen)
        parts = self._stretches(first[begin], end[begin])
        return Plans.cat(whole, parts)[self._leaders(torch.cat((scores, self._tried(parts))))]

    def _pieces(self) -> tuple[Int[Tensor, "n"], Int[Tensor, "n"], Int[Tensor, "n"], Int[Tensor, "n"]]:
        """All clips, long ones in equal pieces no longer than a plan: number, first and last place, end of the clip."""
        rows = []
        for clip, (_, begin, end) in enumerate(self.controller.path_bounds):
            count = -(-(end - begin) // SEGMENTS)
            bounds = [begin + (end - begin) * piece // count for piece in range(count + 1)]
            rows += [(clip, first, next_one - 1, end) for first, next_one in pairwise(bounds)]
        clip, first, last, end = torch.tensor(rows, device=self.text.device).T.contiguous()
        return clip, first, last, end

    def _stretches(self, begin: Int[Tensor, "n"], end: Int[Tensor, "n"]) -> Plans:
        """Random ones of the clips between those places, of a second or more; half of them again and again."""
        n = len(begin)
        chance = torch.rand(n, generator=self.generator, device=begin.device)
        first = begin + (chance * (end - begin)).long()
        count = self._draw(n, SHORTEST, SEGMENTS + 1)
        return Plans.stretch(self.controller.paths, first, end - 1, count, self._draw(n, 0, 2).bool())

    def _draw(self, n: int, low: int, high: int) -> Int[Tensor, "n"]:
        return torch.randint(low, high, (n,), generator=self.generator, device=self.text.device)

    def _go(self, plans: Plans, decisions: int) -> Trials:
        """Run at most as many plans as worlds: plan i in the worlds i, i + n, i + 2n and so on."""
        engine, worlds = self.engine, self.engine.num_worlds
        index = torch.arange(worlds, device=self.text.device) % len(plans)
        engine.reset(torch.arange(worlds, device=index.device), *self._starts.draw(worlds))
        lost = torch.zeros(worlds, dtype=torch.bool, device=index.device)
        curves = []
        for decision in range(decisions):
            z = plans.at(decision)[index]
            for control in range(CONTROLS):
                lost = lost | engine.step(self.controller.act(engine.state(), z))
                self._onlooker.watch(engine.state(), torch.full_like(lost, decision == control == 0))
            down = lost | LYING(engine.state(), engine.skeleton)
            curves.append(torch.stack((cosine(self._onlooker.feature(), self.text), down.float())))
        both = torch.stack(curves, -1)  # (2, world, decision)
        sums = both.new_zeros(2, len(plans), len(curves)).index_add(1, index, both)
        means = sums / index.bincount(minlength=len(plans))[:, None]
        return Trials(means[0], means[1])
