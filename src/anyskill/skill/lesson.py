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
from anyskill.skill.play import Playable
from anyskill.skill.policy import LatentSequence, PolicySkill
from anyskill.skill.request import Request
from anyskill.skill.searched import Searched, search
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
        self.records = RunFolder.open(folder) if exists else RunFolder.create(folder, task)

    def search(self) -> list[Searched]:
        """For each sentence the latents that suit it best; none where the search is off."""
        if not self.config.search:
            return []
        return [
            search(number, text, self._penalty(number), self.task, self.parts, self.folder)
            for number, text in enumerate(self.sentences.features)
        ]

    def train(self, found: Sequence[Searched]) -> Trained | None:
        """PPO, from what the search found; None where it is off."""
        config = self.config
        if not config.train:
            return None
        trainer = self._trainer()
        if found:
            trainer.begin_with([one.skill for one in found])
        deadline = float("inf") if config.minutes is None else self._begin + 60 * config.minutes

        @cache
        def behind(iterations: int) -> bool:
            return iterations == config.trial and self._behind(trainer.skill(), found)

        def enough() -> bool:
            helpless = trainer.converged or behind(trainer.convergence.iterations)
            return (config.converge and helpless) or time.monotonic() > deadline

        done = self.records.checkpoints.restore(trainer.parts)
        if done < config.iterations and not enough():
            shown = ("similarity", "best", "lying")
            settings: dict[str, Any] = {"save_every": SAVE_EVERY, "progress": self.progress, "shown": shown}
            done = train(trainer, self.records, config.iterations, until=enough, **settings)
        policies = [trainer.skill(number) for number in range(len(self.sentences))]
        stopped = done < config.iterations and not enough()
        return Trained(policies, done, trainer.converged, config.converge and behind(done), stopped)

    def choose(self, found: Sequence[Searched], trained: Trained | None) -> tuple[Skill, Similarity]:
        """The best of what there is, by new episodes; of several sentences it is always the policy.

        Similarities are means over the sentences.
        """
        policies = [None] * len(self.requests) if trained is None else trained.policies
        rounds = [self._contestants(number, found, policy) for number, policy in enumerate(policies)]
        judged = [self._judged(number, contestants) for number, contestants in enumerate(rounds)]
        best = "policy" if len(rounds) > 1 else self._best(judged[0])
        chance = [
            self._judge(RandomLatents(self.parts.controller, self.task.seed), number) for number in range(len(rounds))
        ]
        random = fmean(judgement.similarity for judgement in chance)
        means = {name: fmean(judgements[name].similarity for judgements in judged) for name in judged[0]}
        details = {
            "kind": best,
            "similarity": means[best],
            "lying": fmean(judgements[best].lying for judgements in judged),
        }
        skill = replace(rounds[0][best], details=rounds[0][best].details | details)
        return skill, Similarity(random, means.get("best_latent"), means.get("search"), means[best])

    def skill(self, decide: PolicySkill | LatentSequence, number: int = 0) -> Skill:
        """What decides, as a skill for one of the sentences."""
        request, several = self.requests[number], len(self.requests) > 1
        details = {
            "scorer": self.task.vlm,
            "controller": self.task.controller,
            "seed": self.task.seed,
            "version": anyskill.__version__,
        }
        known = zip(self.requests, self.sentences.features, strict=True)
        sentences = tuple(Sentence(one.text, one.description, feature) for one, feature in known) if several else ()
        return Skill(request.text, request.description, self.parts.controller, decide, details, sentences)

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

    def _trainer(self) -> SkillTraining:
        config = self.config.skill
        if any(self._low):  # or whoever lies down as asked would be put back on his feet
            environment = config.environment
            termination = replace(environment.termination, head_height=0.0)
            config = replace(config, environment=replace(environment, termination=termination))
        character = self.parts.controller.skeleton.character
        engine = make_engine(config.worlds, self.task.device, character, dump_folder=self.folder / "blown-up")
        audit = self.parts.audit(self.sentences.texts, self.config.audit)
        return SkillTraining(config, engine, self.parts.controller, self.parts.source, self.sentences, audit)

    def _behind(self, policy: PolicySkill, found: Sequence[Searched]) -> bool:
        """Whether a search has found what is worth more than a policy; of several sentences, a policy alone will do."""
        if not found or len(self.requests) > 1:
            return False
        return self._best(self._judged(0, self._contestants(0, found, policy))) != "policy"

    def _contestants(self, number: int, found: Sequence[Searched], policy: PolicySkill | None) -> dict[str, Skill]:
        """All that may become the skill of a sentence; where two are equally good, the first is kept."""
        contestants = {}
        if policy is not None:
            contestants["policy"] = self.skill(policy, number)
        if found:
            contestants["search"] = self.skill(found[number].skill, number)
            contestants["best_latent"] = self.skill(LatentSequence.hold(found[number].best_latent), number)
        return contestants

    def _penalty(self, number: int) -> float:
        return 0.0 if self._low[number] else self.config.search_settings.lying_penalty

    def _judged(self, number: int, contestants: Mapping[str, Skill]) -> dict[str, Judgement]:
        return {name: self._judge(contestant, number) for name, contestant in contestants.items()}

    def _best(self, judged: Mapping[str, Judgement]) -> str:
        """Which of the only sentence's contestants is worth most."""
        reward, penalty = self.config.skill.environment.reward, self._penalty(0)
        return max(judged, key=lambda name: judged[name].score(reward, penalty))

    def _judge(self, contestant: Playable, number: int) -> Judgement:
        text, start = self.sentences.features[number], self.config.skill.environment.start
        return judge(contestant, self.parts.source, text, self.config.episodes, self.task.seed, start)
