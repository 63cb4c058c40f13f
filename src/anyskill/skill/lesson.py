"""The stages of learning: search, train, choose. What a stage has done is in the run's folder, and not done again."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import anyskill
from anyskill.learning.loop import train
from anyskill.learning.run_folder import RunFolder
from anyskill.sim.engine import make_engine
from anyskill.skill.comparison import Judgement, RandomLatents, judge
from anyskill.skill.features import Sentences
from anyskill.skill.parts import Parts
from anyskill.skill.plans import Plans
from anyskill.skill.play import Playable
from anyskill.skill.policy import LatentSequence, PolicySkill
from anyskill.skill.repertoire import Repertoire
from anyskill.skill.request import Request
from anyskill.skill.rewards import RewardConfig
from anyskill.skill.searched import Searched, looked_up, repertoire, search
from anyskill.skill.skill import Sentence, Skill
from anyskill.skill.summary import Similarity
from anyskill.skill.task import Task
from anyskill.skill.training import SkillTraining

SAVE_EVERY = 15  # iterations; a crash takes half a minute of work at most


@dataclass(frozen=True)
class Trained:
    """What PPO has made."""

    policies: list[PolicySkill]
    """The best so far, under each of the sentences."""
    iterations: int
    converged: bool
    behind: bool
    """Whether it was given up, since the search had found better."""
    stopped: bool
    """Whether it was told to stop before it was done."""


class Lesson:
    """What is to be learnt, with everything that takes.

    Args:
        folder: Of the run; made when it has something to hold.
        task: What is asked for.
        parts: Controller, scorer and features.
        requests: The task's sentences.
        progress: Show how training goes.
    """

    def __init__(
        self, folder: Path, task: Task, parts: Parts, requests: Sequence[Request], *, progress: bool = True
    ) -> None:
        self.folder, self.task, self.config = folder, task, task.config
        self.parts, self.requests, self.progress = parts, tuple(requests), progress
        self.sentences = Sentences.encode(parts.model, [request.description for request in requests])
        self._low = [request.low if self.config.lying is None else self.config.lying for request in requests]
        exists = (folder / "config.yaml").exists()
        self._begin = time.monotonic()
        self._several = len(self.requests) > 1
        self.repertoire: Repertoire | None = None
        """What several sentences are looked up in."""
        self.records = RunFolder.open(folder) if exists else RunFolder.create(folder, task)

    def search(self) -> list[Searched]:
        """For each sentence the latents that suit it best; none where the search is off."""
        if not self.config.search:
            return []
        if not self._several:
            return [search(self.sentences.features[0], self._penalty(0), self.task, self.parts, self.folder)]
        self.repertoire, seconds = repertoire(self.task, self.parts, self.folder)
        asked = zip(self.sentences.features, self._low, strict=True)
        return [looked_up(self.repertoire, text, seconds / len(self._low), low=low) for text, low in asked]

    def train(self, found: Sequence[Searched]) -> Trained | None:
        """PPO, from what the search found; None where it is off."""
        config = self.config
        if not config.train:
            return None
        trainer = self._trainer(found)
        deadline = float("inf") if config.minutes is None else self._begin + 60 * config.minutes

        @cache
        def behind(iterations: int) -> bool:
            if iterations != config.trial or not found:
                return False
            return self._best(self._judged(found, self._policies(trainer)), style_weight=0.0) != "policy"

        def enough() -> bool:
            helpless = trainer.converged or behind(trainer.convergence.iterations)
            return (config.converge and helpless) or time.monotonic() > deadline

        done = self.records.checkpoints.restore(trainer.parts)
        if done < config.iterations and not enough():
            shown = ("similarity", "best", "lying")
            settings: dict[str, Any] = {"save_every": SAVE_EVERY, "progress": self.progress, "shown": shown}
            done = train(trainer, self.records, config.iterations, until=enough, **settings)
        stopped = done < config.iterations and not enough()
        return Trained(self._policies(trainer), done, trainer.converged, config.converge and behind(done), stopped)

    def choose(self, found: Sequence[Searched], trained: Trained | None) -> tuple[Skill, Similarity]:
        """The best of what there is, by new episodes; of several sentences, the best for all of them together.

        Similarities are means over the sentences.
        """
        policies = [] if trained is None else trained.policies
        judged = self._judged(found, policies)
        best = self._best(judged)
        chance = [self._judge(RandomLatents(self.parts.controller, self.task.seed), one) for one in range(len(judged))]
        random = fmean(judgement.similarity for judgement in chance)
        means = {name: fmean(judgements[name].similarity for judgements in judged) for name in judged[0]}
        details = {
            "kind": best,
            "similarity": means[best],
            "lying": fmean(judgements[best].lying for judgements in judged),
        }
        chosen = self._contestants(0, found, policies)[best]
        skill = replace(chosen, details=chosen.details | details)
        return skill, Similarity(random, means.get("best_latent"), means.get("search"), means[best])

    def skill(self, decide: PolicySkill | LatentSequence, number: int = 0, found: Sequence[Searched] = ()) -> Skill:
        """What decides, as a skill for one of the sentences; of several, with what was found for all of them."""
        request = self.requests[number]
        details = {
            "scorer": self.task.vlm,
            "controller": self.task.controller,
            "seed": self.task.seed,
            "version": anyskill.__version__,
        }
        sentences: tuple[Sentence, ...] = ()
        if self._several:
            guides: Sequence[LatentSequence | None] = [one.skill for one in found] or [None] * len(self.requests)
            known = zip(self.requests, self.sentences.features, guides, strict=True)
            sentences = tuple(Sentence(one.text, one.description, feature, guide) for one, feature, guide in known)
        controller = self.parts.controller
        return Skill(request.text, request.description, controller, decide, details, sentences, self.repertoire)

    def alarm(self) -> str | None:
        """What the last audit of the projection complains of."""
        audits = [line for line in self.records.metrics() if "audit/alarm" in line]
        if not audits or not audits[-1]["audit/alarm"]:
            return None
        return (
            f"after {audits[-1]['iteration']} iterations true pictures did not agree with the projection (audit/… in "
            "metrics.jsonl): look at the film, and learn again with --features pictures if it is wrong."
        )

    def training_seconds(self) -> float:
        """Wall time of all iterations, of all starts."""
        samples = self.config.skill.worlds * self.config.skill.horizon
        return sum(samples / line["samples_per_second"] for line in self.records.metrics())

    def _trainer(self, found: Sequence[Searched]) -> SkillTraining:
        config = self.config.skill
        if any(self._low):  # or whoever lies down as asked would be put back on his feet
            environment = config.environment
            termination = replace(environment.termination, head_height=0.0)
            config = replace(config, environment=replace(environment, termination=termination))
        parts, character = self.parts, self.parts.controller.skeleton.character
        engine = make_engine(config.worlds, self.task.device, character, dump_folder=self.folder / "blown-up")
        guides = Plans.of([one.skill for one in found]) if found else None
        audit = parts.audit(self.sentences.texts, self.config.audit)
        return SkillTraining(config, engine, parts.controller, parts.source, self.sentences, guides, audit)

    def _policies(self, trainer: SkillTraining) -> list[PolicySkill]:
        """The best so far, under each of the sentences."""
        return [trainer.skill(number) for number in range(len(self.requests))]

    def _contestants(self, number: int, found: Sequence[Searched], policies: Sequence[PolicySkill]) -> dict[str, Skill]:
        """All that a sentence's skill may be; where two are equally good, the first is kept."""
        contestants: dict[str, PolicySkill | LatentSequence] = {}
        if policies:
            contestants["policy"] = policies[number]
        if found:
            contestants["search"] = found[number].skill
            contestants["best_latent"] = LatentSequence.hold(found[number].best_latent)
        return {name: self.skill(decide, number, found) for name, decide in contestants.items()}

    def _judged(self, found: Sequence[Searched], policies: Sequence[PolicySkill]) -> list[dict[str, Judgement]]:
        """For each sentence, how its contestants do in new episodes."""
        return [
            {name: self._judge(one, number) for name, one in self._contestants(number, found, policies).items()}
            for number in range(len(self.requests))
        ]

    def _best(
        self, judged: Sequence[Mapping[str, Judgement]], style_weight: float = RewardConfig().style_weight
    ) -> str:
        """Which contestant is worth most: the mean over sentences, of which several are not all held latents.

        Style weighs less than in training: it keeps policies near clips, but none so near that it would win.
        """
        reward = replace(self.config.skill.environment.reward, style_weight=style_weight)

        def worth(name: str) -> float:
            return fmean(one[name].score(reward, self._penalty(number)) for number, one in enumerate(judged))

        return max((name for name in judged[0] if not (self._several and name == "best_latent")), key=worth)

    def _penalty(self, number: int) -> float:
        return 0.0 if self._low[number] else self.config.search_settings.lying_penalty

    def _judge(self, contestant: Playable, number: int) -> Judgement:
        text, start = self.sentences.features[number], self.config.skill.environment.start
        return judge(contestant, self.parts.source, text, self.config.episodes, self.task.seed, start)
