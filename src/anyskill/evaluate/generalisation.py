"""One policy that is told what to do: how well does it obey sentences it was never trained on?"""

from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from pathlib import Path

import yaml

from anyskill.evaluate.ablations import Case, Made
from anyskill.evaluate.errors import EvaluationError
from anyskill.evaluate.suite import Sentence, load_suite
from anyskill.evaluate.tables import Row, Table
from anyskill.evaluate.variants import RANDOM, Means, learnt
from anyskill.skill.request import tell
from anyskill.skill.skill import Skill
from anyskill.text import words
from anyskill.vision_language.model import load_model

CONDITIONED = "text-conditioned"
OWN = "search+ppo"
"""How a sentence that has a policy of its own is learnt."""


@dataclass(frozen=True)
class Split:
    """Sentences to train on, and their neighbours in meaning that are held out, grouped by what makes them new."""

    train: tuple[Sentence, ...]
    held_out: tuple[Sentence, ...]


def load_split() -> Split:
    """``assets/generalisation.yaml``, which says how it is made.

    Raises:
        EvaluationError: A sentence that it names is not in the benchmark.
    """
    path = Path(str(files("anyskill") / "assets" / "generalisation.yaml"))
    content = yaml.safe_load(path.read_text("utf-8"))
    benchmark = {sentence.text: sentence for sentence in load_suite()}
    for name in (*content["train"], *content["paraphrases"].values()):
        if name not in benchmark:
            raise EvaluationError(f"{path} names {name!r}, which is no sentence of the benchmark.")
    train = tuple(benchmark[name] for name in content["train"])
    sides = tuple(_mirrored(sentence) for sentence in train if words.sides(sentence.text))
    paraphrases = tuple(
        replace(benchmark[name], text=text, group="paraphrase") for text, name in content["paraphrases"].items()
    )
    return Split(train, (*sides, *paraphrases, *load_suite(path)))


def _mirrored(sentence: Sentence) -> Sentence:
    """The same for the other side, test included."""
    expression = yaml.safe_load(words.mirrored(yaml.safe_dump(sentence.expression)))
    return Sentence(words.mirrored(sentence.text), "other side", sentence.hold, expression)


def text_table(split: Split) -> Table:
    """One policy for all sentences beside policies of their own and beside chance."""
    rows = [
        Row(OWN, split.held_out, "a policy of its own, each"),
        Row(CONDITIONED, split.held_out, "told, never trained on"),
    ]
    for group in dict.fromkeys(sentence.group for sentence in split.held_out):
        sentences = tuple(sentence for sentence in split.held_out if sentence.group == group)
        rows.append(Row(CONDITIONED, sentences, f"of these: {group}"))
    rows.append(Row(RANDOM, split.held_out, "random latents"))
    rows.append(Row(CONDITIONED, split.train, "told, trained on"))
    note = (
        f"One policy learnt {len(split.train)} sentences of the benchmark, with as many iterations and as much time "
        f"for each as a policy of its own has, and was then told {len(split.held_out)} others: the other side of what "
        "it had learnt, paraphrases, and recombinations. *Relative* is success as a share of that of policies "
        "of their own; its interval is a bootstrap over sentences. *s* is for all its sentences together."
    )
    return Table("Sentences never seen in training", tuple(rows), note, relative=True)


class TextConditioned:
    """``Recipe`` of one policy for all training sentences; learnt once a seed, then told a case's sentence.

    Args:
        texts: To be trained on.
        means: As of other recipes; the budget is that of one sentence.
        root: Folder of the ablations.
    """

    def __init__(self, texts: tuple[str, ...], means: Means, root: Path) -> None:
        budget = replace(
            means.config,
            iterations=len(texts) * means.config.iterations,
            minutes=None if means.config.minutes is None else len(texts) * means.config.minutes,
        )
        self.texts, self.means, self.root = texts, replace(means, config=budget), root
        self._made: dict[int, Made] = {}

    def __call__(self, case: Case, folder: Path) -> Made:
        """See ``Recipe``; the case's own folder stays empty."""
        if case.seed not in self._made:
            self._made = {case.seed: learnt(self.texts, case.seed, self._folder(case.seed), self.means)}
        made = self._made[case.seed]
        assert isinstance(made.skill, Skill)
        return replace(made, skill=self._told(made.skill, case.sentence.text))

    def _folder(self, seed: int) -> Path:
        return self.root / f"seed-{seed}" / CONDITIONED

    def _told(self, skill: Skill, text: str) -> Skill:
        load = partial(load_model, self.means.vlm, self.means.device)
        return tell(skill, text, load, rewrite=self.means.config.enhance)
