import pytest
import torch

from anyskill.body.state import BodyState
from anyskill.motion.authored import authored_clips
from anyskill.motion.library import MotionLibrary
from anyskill.text.phrasebook import phrasebook
from anyskill.vision_language.bodyclip import paraphrases
from anyskill.vision_language.bodyclip.paraphrases import DISTRACTORS, Paraphrases, Pool, paraphrase_figures, place
from anyskill.vision_language.bodyclip.phrases import phrase_book


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool.of(MotionLibrary(authored_clips()))


def test_there_are_enough_and_none_is_trained_on() -> None:
    loaded = Paraphrases.load()
    sentences = [*loaded.facts, *loaded.clips]
    assert len(sentences) >= 150 and len(set(sentences)) == len(sentences)
    known = {text for phrases in phrase_book().values() for text in (*phrases.actions, *phrases.terse)}
    labels = {label for clip in authored_clips() for label in clip.labels}
    explained = {text.lower() for text in phrasebook().entries}
    assert not [sentence for sentence in sentences if sentence in known | labels or sentence.lower() in explained]


def test_every_sentence_means_something_that_can_be_shown(pool: Pool) -> None:
    loaded = Paraphrases.load()
    for sentence, facts in loaded.facts.items():
        right, wrong = pool.meant(facts)
        assert right.any(), sentence
        assert int(wrong.sum()) >= DISTRACTORS and not (right & wrong).any(), sentence
    for sentence, names in loaded.clips.items():
        right, wrong = pool.shown(names)
        assert int(right.sum()) == 1, sentence
        assert int(wrong.sum()) >= DISTRACTORS and not (right & wrong).any(), sentence


def test_a_fact_without_side_means_either(pool: Pool) -> None:
    either, _ = pool.meant(("salute",))
    right, left = (pool.meant((f"salute.{side}",))[0] for side in ("right", "left"))
    assert torch.equal(either, right | left) and right.any() and left.any()
    both, denied = pool.meant(("arm_overhead.right", "arm_overhead.left"))
    assert both.any() and torch.equal(both, pool.meant(("arm_overhead.both",))[0])
    one = pool.meant(("arm_overhead.right",))[0] & pool.facts.holds("arm_hanging.left")
    assert bool(denied[one].all())


def test_place() -> None:
    scores = torch.tensor([0.5, 0.9, 0.5, 0.1])
    right, wrong = torch.tensor([True, False, False, False]), torch.tensor([False, True, True, True])
    generator = torch.Generator().manual_seed(0)
    assert place(scores, right, wrong, generator) == 2
    assert place(scores, right, ~right & (scores < 0.5), generator) == 0


class _Blind:
    """Sees nothing."""

    device = torch.device("cpu")

    def encode_images(self, pictures: torch.Tensor, interval: float) -> torch.Tensor:
        return torch.ones(len(pictures), 4)

    def encode_states(self, states: BodyState, interval: float) -> torch.Tensor:
        return torch.zeros(len(states.positions), 4)

    def encode_texts(self, texts: list[str]) -> torch.Tensor:
        return torch.ones(len(texts), 4)


def test_who_sees_nothing_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paraphrases, "draw", lambda states, *_, **__: torch.zeros(states.batch_shape[0], 1))
    figures = paraphrase_figures(_Blind(), torch.Generator().manual_seed(0))  # type: ignore[arg-type]
    assert figures["paraphrases_top1"] == figures["paraphrases_top5"] == figures["paraphrases_by_state_top5"] == 0.0
    assert figures["paraphrases"] >= 150
