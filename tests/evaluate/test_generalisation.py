"""The split into trained and held-out sentences, and a policy that is told both."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from anyskill.evaluate import generalisation
from anyskill.evaluate.ablations import Case, Made
from anyskill.evaluate.generalisation import TextConditioned, load_split, text_table
from anyskill.evaluate.suite import load_suite
from anyskill.evaluate.variants import Means
from anyskill.skill.policy import PolicySkill, make_actor_critic
from anyskill.skill.skill import Sentence, Skill
from anyskill.skill.task import LearnConfig
from anyskill.text.enhance import enhance
from tests.evaluate.made_up_runs import SENTENCES
from tests.skill.made_up import Puppet


def test_held_out_sentences_are_new_as_typed_and_as_encoded() -> None:
    split = load_split()
    held_out = [sentence.text for sentence in split.held_out]
    assert len(set(held_out)) == len(held_out) >= 20
    trained = {enhance(sentence.text).text for sentence in split.train}
    assert len(trained) == len(split.train)
    assert trained.isdisjoint(enhance(text).text for text in held_out)
    assert {sentence.text for sentence in split.train}.isdisjoint(held_out)
    assert split == load_split()


def test_the_other_side_has_the_mirrored_test() -> None:
    benchmark = {sentence.text: sentence for sentence in load_suite()}
    split = load_split()
    sides = {sentence.text: sentence for sentence in split.held_out if sentence.group == "other side"}
    both = [text for text in sides if text in benchmark]
    assert "raise the left arm" in both  # which the benchmark has for either side, written independently
    for text in both:
        assert (sides[text].expression, sides[text].hold) == (benchmark[text].expression, benchmark[text].hold)
    assert len(sides) == sum("left" in s.text or "right" in s.text for s in split.train)


def test_a_paraphrase_has_the_test_of_what_it_means() -> None:
    benchmark = {sentence.text: sentence for sentence in load_suite()}
    held_out = {sentence.text: sentence for sentence in load_split().held_out}
    rest, hips = held_out["rest both hands on the waist"], benchmark["put both hands on the hips"]
    assert (rest.group, rest.expression, rest.hold) == ("paraphrase", hips.expression, hips.hold)


def test_rows_of_the_table() -> None:
    split = load_split()
    table = text_table(split)
    told = "text-conditioned"
    assert [row.variant for row in table.rows] == ["search+ppo", told, told, told, told, "random-latents", told]
    assert [len(row.sentences) for row in table.rows[2:5]] == [
        sum(sentence.group == group for sentence in split.held_out)
        for group in ("other side", "paraphrase", "recombination")
    ]
    assert table.rows[-1].sentences == split.train
    assert table.relative


class Model:
    """Encodes a sentence as its length."""

    def encode_texts(self, texts: list[str]) -> torch.Tensor:
        return torch.tensor([[float(len(text)), 0.0] for text in texts])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What learning was asked for; it makes an untrained policy."""
    asked: list[Any] = []

    def learnt(texts: tuple[str, ...], seed: int, folder: Path, means: Means) -> Made:
        asked.append((texts, seed, folder, means.config))
        features = [torch.tensor([0.0, float(number)]) for number in range(len(texts))]
        model = make_actor_critic(223, 2, 4, (8,), -2.3, torch.Generator().manual_seed(0))
        sentences = tuple(Sentence(t, t, f) for t, f in zip(texts, features, strict=True))
        skill = Skill(texts[0], texts[0], Puppet(), PolicySkill(model, features[0]), {}, sentences)
        return Made(skill, 300.0)

    monkeypatch.setattr(generalisation, "learnt", learnt)
    monkeypatch.setattr(generalisation, "load_model", lambda name, device: Model())
    return asked


def test_one_policy_a_seed_is_told_every_sentence(tmp_path: Path, asked: list[Any]) -> None:
    texts = ("raise both arms", "bow")
    means = Means(replace(LearnConfig(), iterations=50, minutes=3.0), "bodyclip")
    recipe = TextConditioned(texts, means, tmp_path)
    made = [recipe(Case("text-conditioned", s, seed), tmp_path / "x") for seed in (0, 1) for s in SENTENCES]

    budget = replace(means.config, iterations=100, minutes=6.0)
    assert asked == [(texts, seed, tmp_path / f"seed-{seed}" / "text-conditioned", budget) for seed in (0, 1)]
    assert [each.seconds for each in made] == [300.0] * 6
    described = [(each.skill.text, each.skill.decide.text.tolist()) for each in made[:3]]
    walk = enhance("walk forward").text
    assert walk != "walk forward"  # what is new is said limb by limb, as what was trained on was
    assert described == [("raise both arms", [0.0, 0.0]), (walk, [float(len(walk)), 0.0]), ("bow", [0.0, 1.0])]
