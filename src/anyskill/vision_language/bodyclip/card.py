"""BodyCLIP's card: what it was trained on and how, what it scores, and what it fails at."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyskill.learning.run_folder import RunFolder
from anyskill.text.phrasebook import phrasebook
from anyskill.vision_language.bodyclip.phrases import phrase_book
from anyskill.vision_language.bodyclip.settings import TrainingConfig
from anyskill.vision_language.bodyclip.shards import Shards, original_name
from anyskill.vision_language.bodyclip.teacher import Lessons
from anyskill.vision_language.model import VisionLanguageError


@dataclass(frozen=True)
class Bar:
    """A figure of ``bodyclip evaluate --json``, and what it should be at least; None if nothing is asked of it."""

    key: str
    what: str
    least: float | None

    def row(self, figures: Mapping[str, Any]) -> str:
        """A line of a table."""
        value, spread = figures[self.key], figures["spread"][self.key]
        shown = "not measured" if value is None else f"{self._shown(value)} ± {self._shown(spread)}"
        return f"| {self.what} | {shown} | {'' if self.least is None else f'at least {self._shown(self.least)}'} |"

    def is_missed(self, figures: Mapping[str, Any]) -> bool:
        """Whether a figure was measured and is too low."""
        value = figures[self.key]
        return value is not None and self.least is not None and value < self.least

    def _shown(self, value: float) -> str:
        return _count(value) if self.key.endswith("_second") else f"{100 * value:.1f} %"


BARS = (
    Bar("picture_r1", "one picture: found first by its full caption, among 1 000", 0.40),
    Bar("picture_r10", "one picture: among the first ten", 0.85),
    Bar("picture_true_sentence_wins", "one picture: caption beats one that differs in one thing", 0.92),
    Bar("picture_by_state_r1", "one state, by the state tower: found first by its full caption, among 1 000", None),
    Bar("picture_by_state_r10", "one state: among the first ten", None),
    Bar("picture_by_state_true_sentence_wins", "one state: caption beats one that differs in one thing", None),
    Bar("sequence_r1", "four pictures: found first by its full caption, among 1 000", 0.40),
    Bar("sequence_r10", "four pictures: among the first ten", 0.85),
    Bar("sequence_true_sentence_wins", "four pictures: caption beats one that differs in one thing", 0.92),
    Bar("sequence_by_state_r1", "four states, by the state tower: found first by its full caption, among 1 000", None),
    Bar("sequence_by_state_r10", "four states: among the first ten", None),
    Bar("sequence_by_state_true_sentence_wins", "four states: caption beats one that differs in one thing", None),
    Bar("movement_wins", "four pictures: who does what a sentence says, a movement, beats the same held still", None),
    Bar("movement_by_state_wins", "four states: the same, by the state tower", None),
    Bar("labels_top1", "held-out motions: what people call it comes first of all labels", None),
    Bar("labels_top5", "held-out motions: among the first five labels", 0.60),
    Bar("paraphrases_top1", "everyday sentences: the meant pose is the best of 51", None),
    Bar("paraphrases_top5", "everyday sentences: among the five best", 0.75),
    Bar("paraphrases_by_state_top5", "everyday sentences: among the five best, by the state tower", None),
    Bar("pictures_per_second", "pictures a second", 1500),
    Bar("sentences_per_second", "sentences a second", 500),
)
"""What is asked of it."""

_CARD = """# BodyCLIP

An image-text model of simulated bodies: one to four pictures, the body's state, and sentences, as points of one space.
{size:.1f} MB, {parameters:.2f} million weights.

## Data

{moments} moments, {pictures} pictures of 112 × 112, of {motions} motions (authored ones and motion capture) and their
mirror images, also with other motions' limbs and with random joint angles. Sentences about them are generated from
{facts} facts, anew each time; beside them, {entries} everyday expressions of the phrasebook and the motions'
labels{teacher}.

Held out: {held_out}.

## Training

{state_iterations} steps of {state_batch} states and what is claimed of them, then {sentence_iterations} of sentences
about {batch} moments, then {picture_iterations} of {batch} pictures; {hours:.1f} hours.
AdamW, learning rate {learning_rate:g}, seed {seed}.{start}

## Figures

Means over seeds of wordings and choices, ± the largest difference from them, on held-out motions.

| what | figure | should be |
|---|---|---|
{rows}

## What it fails at

{failures}
- It knows one body, this package's humanoid as this package draws it: no photographs, no other characters.
- The body has neither fingers nor a face: gestures that differ in these alone are one to it.
- It has learnt nothing of objects: a sentence about a ball is judged by the pose alone.
- Words that it never met are guessed from their letters; its familiarity with a sentence says so.

## Licence

Apache-2.0, as this package. NOTICE names the motion capture it has seen; none of it is inside.
"""
_TEACHER = """, and what the sentence encoder all-MiniLM-L6-v2 says of
{} words and sentences, among them those of WordNet that resemble one about a body"""


def write_card(run: Path, metrics: Path) -> str:
    """The card of a finished run of ``bodyclip train``, in Markdown.

    Args:
        run: Folder of the run.
        metrics: What ``bodyclip evaluate --json`` printed.

    Raises:
        VisionLanguageError: The model, its pictures or the figures are missing or broken.
        LearningError: The run's settings are.
    """
    model = run / "bodyclip.safetensors"
    if not model.exists():
        raise VisionLanguageError(f"{model} does not exist; finish `anyskill bodyclip train --out {run}` first.")
    figures = _read(metrics)
    train, test = Shards(run / "pictures", "train"), Shards(run / "pictures", "test")
    training = RunFolder.open(run / "training")
    seconds = sum(value for row in training.metrics() for key, value in row.items() if key.startswith("seconds/"))
    lessons = run / "lessons.safetensors"
    return _CARD.format(
        size=model.stat().st_size / 1e6,
        parameters=figures["parameters"] / 1e6,
        moments=_count(sum(len(shard.clip) for shard in train)),
        pictures=_count(sum(shard.pictures.shape[:2].numel() for shard in train)),
        motions=len({original_name(name) for name in train[0].names}),
        facts=sum("thing" not in phrases.parts for phrases in phrase_book().values()),
        entries=_count(len(phrasebook().entries)),
        teacher=_TEACHER.format(_count(len(Lessons.load(lessons).texts))) if lessons.exists() else "",
        start=" It began with the weights of an earlier one." if (run / "start.safetensors").exists() else "",
        held_out=", ".join(
            sorted({original_name(s.names[n]) for s in test for n in s.clip.unique().tolist() if n >= 0})
        ),
        hours=seconds / 3600,
        rows="\n".join(bar.row(figures) for bar in BARS),
        failures="\n".join(f"- Below what it should be: {bar.what}." for bar in BARS if bar.is_missed(figures))
        or "- No figure is below what it should be.",
        **vars(training.config_as(TrainingConfig)),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
        missing = {"parameters", "spread", *(bar.key for bar in BARS)} - figures.keys()
    except (OSError, ValueError, AttributeError) as error:
        raise VisionLanguageError(f"{path} holds no figures ({error}).") from None
    if missing:
        raise VisionLanguageError(
            f"{path} lacks {', '.join(sorted(missing))}; write it anew with `anyskill bodyclip evaluate --json`."
        )
    return dict(figures)


def _count(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ")
