from itertools import pairwise
from pathlib import Path

import pytest
import torch

from anyskill.learning.errors import LearningError
from anyskill.learning.loop import train
from anyskill.learning.run_folder import RunFolder
from anyskill.vision_language.bodyclip.batches import make_batch
from anyskill.vision_language.bodyclip.claims import Claims
from anyskill.vision_language.bodyclip.losses import share_found
from anyskill.vision_language.bodyclip.moments import slowed, unsteady
from anyskill.vision_language.bodyclip.recipe import export
from anyskill.vision_language.bodyclip.settings import TrainingConfig
from anyskill.vision_language.bodyclip.shards import Shards
from anyskill.vision_language.bodyclip.teacher import Lessons
from anyskill.vision_language.bodyclip.training import BodyClipTraining
from anyskill.vision_language.model import VisionLanguageError
from tests.vision_language.bodyclip.made_up import TINY, WORDS, moments, tiny_training


def _weights(training: BodyClipTraining) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in training.networks.state_dict().items()}


def _run(folder: Path, shards: Shards, iterations: int) -> BodyClipTraining:
    training = tiny_training(shards, state_iterations=2, sentence_iterations=2)
    run = RunFolder.open(folder) if folder.exists() else RunFolder.create(folder, training.config)
    assert train(training, run, iterations, save_every=1, progress=False) == iterations
    return training


@pytest.mark.parametrize("stopped", [1, 3, 5])
def test_a_stopped_run_goes_on_bit_for_bit(stopped: int, shards: Shards, tmp_path: Path) -> None:
    whole = _run(tmp_path / "whole", shards, 6)
    _run(tmp_path / "stopped", shards, stopped)
    resumed = _run(tmp_path / "stopped", shards, 6)
    first = _weights(tiny_training(shards))
    assert any(not torch.equal(value, first[name]) for name, value in _weights(whole).items())
    for name, value in _weights(whole).items():
        assert torch.equal(value, _weights(resumed)[name]), name


def test_each_stage_leaves_the_others_alone(shards: Shards) -> None:
    training = tiny_training(shards, state_iterations=1, sentence_iterations=1)
    changed, told = [], []
    for _ in range(4):  # two of pictures, the first perhaps of single ones
        before = _weights(training)
        told.append(training.iterate()[1].keys())
        after = _weights(training)
        changed.append(
            {
                name.removeprefix("towers.").split(".")[0]
                for name in before
                if not torch.equal(before[name], after[name])
            }
        )
    assert changed == [{"state", "log_scale", "claims"}, {"text"}, {"picture"}, {"picture"}]
    assert {"loss/states", "loss/pairs", "sentences_found"} <= told[0]
    assert {"loss/follow", "loss/synonyms", "cosine", "sentences_found"} <= told[1]
    assert {"loss/follow", "loss/pictures", "cosine", "states_found"} <= told[2]


def test_claims_begin_where_a_model_puts_its_sentences(shards: Shards) -> None:
    model, training = export(tiny_training(shards)), tiny_training(shards, seed=1)
    before = training.networks["claims"].get_parameter("directions").clone()
    training.begin_with(model)
    model.towers.text.shift.zero_()  # which comes after training alone
    after = training.networks["claims"].get_parameter("directions")
    said = training.claims.sentences()
    raised = said["raised right hand"]
    wordings = model.encode_texts([text for text, column in said.items() if column == raised])
    assert len(wordings) > 5
    torch.testing.assert_close(after[raised], torch.nn.functional.normalize(wordings.sum(0), dim=-1))
    torch.testing.assert_close(after[said["right arm up"]], model.encode_texts(["right arm up"])[0])  # a label
    of_things = int(training.claims.rows([["near_ball"]]).argmax())
    assert torch.equal(after[of_things], before[of_things])


def test_states_may_learn_alone_while_sentences_stay(shards: Shards) -> None:
    model = export(tiny_training(shards))
    training = tiny_training(shards, seed=1, state_iterations=2, sentence_iterations=0, picture_iterations=0)
    training.begin_with(model)
    before = {name: value.clone() for name, value in training.networks.state_dict().items()}
    for _ in range(2):
        training.iterate()
    changed = {name for name, value in training.networks.state_dict().items() if not torch.equal(value, before[name])}
    assert len(changed) > 1 and all(name.startswith("towers.state.") for name in changed - {"towers.log_scale"})


def test_pictures_are_seen_in_the_end_as_they_will_be(shards: Shards) -> None:
    """By what batch normalisation knows of all cameras; from the start, if training begins with a model."""

    def statistics() -> torch.Tensor:
        return torch.cat([v.flatten() for name, v in training.towers.picture.named_buffers() if "running" in name])

    training = tiny_training(shards, state_iterations=0, sentence_iterations=0, picture_iterations=4)
    seen = [statistics()]
    for _ in range(4):
        training.iterate()
        seen.append(statistics())
    assert [torch.equal(a, b) for a, b in pairwise(seen)] == [False, False, True, True]
    model = export(training)
    training = tiny_training(shards, seed=1, state_iterations=0, sentence_iterations=0, picture_iterations=4)
    training.begin_with(model)
    training.iterate()
    assert torch.equal(statistics(), seen[-1])


def test_it_learns_to_tell_bodies_apart(shards: Shards) -> None:
    training = tiny_training(
        shards, state_iterations=90, sentence_iterations=60, picture_iterations=40, learning_rate=5e-3
    )
    history = [training.iterate()[1] for _ in range(190)]

    def mean(name: str, rows: slice) -> float:
        values = [metrics[name] for metrics in history[rows]]
        return sum(values) / len(values)

    assert mean("loss/states", slice(75, 90)) < mean("loss/states", slice(0, 10)) - 0.25
    assert mean("cosine", slice(135, 150)) > mean("cosine", slice(90, 95)) + 0.3
    assert mean("loss/pictures", slice(-15, None)) < mean("loss/pictures", slice(150, 155)) - 0.1
    assert mean("cosine", slice(-15, None)) > mean("cosine", slice(150, 155)) + 0.2
    # The wordings of this batch, and most of its bodies, are new.
    batch = make_batch(training.moments, training.claims, 96, 1, 0.2, torch.Generator().manual_seed(99))
    towers = training.towers.eval()
    with torch.inference_mode():
        seen = towers.state(batch.states, batch.interval)
        told, false = (towers.text(WORDS.encode(texts)) for texts in (batch.texts, batch.negatives))
    assert float(share_found(seen, told, batch.admitted)) > 5 / 96
    assert float(((seen * (told - false)).sum(-1) > 0).float().mean()) > 0.6


def test_it_learns_to_tell_what_moves_from_the_same_slowed_and_from_others(shards: Shards) -> None:
    training = tiny_training(shards, learning_rate=5e-3)
    batch = make_batch(training.moments, training.claims, 96, 4, 0.2, torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    history = [training._step(*training._claim(batch, generator)) for _ in range(80)]
    assert int(batch.moves.sum()) > 12 and history[0]["moving_body_wins"] < 0.8
    assert history[-1]["moving_body_wins"] > 0.95
    with torch.no_grad():
        losses, _ = training._claim(batch, torch.Generator().manual_seed(2))
        claimed = training.networks["claims"](batch.claims[batch.moves]).double()
        generator.manual_seed(2)
        moving = training.towers.state(unsteady(batch.states, generator)[batch.moves], 0.2).double()
        slow = training.towers.state(unsteady(slowed(batch.states[batch.moves], generator), generator), 0.2).double()
    cosines, own = claimed @ torch.cat((moving, slow)).T, (claimed * moving).sum(-1)
    margin = 5 * (own - (claimed * slow).sum(-1))
    assert float(losses["slow"]) == pytest.approx(0.5 * float(torch.log1p((-margin).exp()).mean()), rel=1e-4)
    # The same among all that moves, and everything slowed, at a temperature of 1/10, both ways.
    n = len(moving)
    allowed = ~batch.admitted[batch.moves][:, batch.moves].T | torch.eye(n, dtype=torch.bool)
    weights = (10 * cosines).exp() * torch.cat((allowed, torch.ones(n, n)), 1)
    true = (10 * own).exp()
    loss = (weights.sum(1) / true).log().mean() + (weights[:, :n].sum(0) / true).log().mean()
    assert float(losses["rivals"]) == pytest.approx(0.25 * float(loss), rel=1e-4)


def test_lessons_are_learnt(shards: Shards, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ("raise the right arm", "hold the left knee", "bent elbow", "out in front of your head")
    monkeypatch.setattr(Claims, "sentences", lambda _: {text: column for column, text in enumerate(texts[:3])})
    lessons = Lessons(texts, torch.nn.functional.normalize(torch.randn(4, 6), dim=-1))
    config = TrainingConfig(
        state_iterations=1, state_batch=4, batch=4, synonyms=4, lessons=8, warm_up=0, learning_rate=3e-3, bf16=False,
        towers=TINY,
    )  # fmt: skip
    training = BodyClipTraining(config, moments(), shards, WORDS, lessons)
    training.iterate()
    history = [training.iterate()[1] for _ in range(40)]
    for name in ("loss/lessons", "loss/meant"):
        assert history[-1][name] < 0.5 * history[0][name]
    # What is known means its claim; the last one, which is like none of them more than of others, mostly nothing.
    meant = training._meant(torch.arange(4), lessons.features)
    torch.testing.assert_close(meant[:3], training._claim_tower.alone(torch.arange(3)))
    torch.testing.assert_close(meant.norm(dim=-1), torch.ones(4), atol=0.2, rtol=0)
    with pytest.raises(VisionLanguageError, match="make them anew"):
        BodyClipTraining(config, moments(), shards, WORDS, Lessons(texts[1:], torch.ones(3, 6)))


def test_learning_rate(shards: Shards) -> None:
    training = tiny_training(shards, warm_up=2, state_iterations=5, sentence_iterations=4, picture_iterations=1)
    rates = [training.iterate()[1]["learning_rate"] for _ in range(9)]
    assert rates[0] == pytest.approx(3e-3 / 3) and rates[2] > rates[3] > rates[4]
    assert rates[5] == pytest.approx(3e-3 / 3) and rates[8] < 0.2 * 3e-3


def test_stages_follow_each_other() -> None:
    config = TrainingConfig(state_iterations=2, sentence_iterations=1, picture_iterations=3)
    assert config.iterations == 6
    assert [config.stage(number) for number in (0, 1, 2, 3, 5, 7)] == [
        *(("states", 0), ("states", 1), ("sentences", 0), ("pictures", 0), ("pictures", 2), ("pictures", 4)),
    ]


def test_settings_are_checked() -> None:
    with pytest.raises(LearningError, match="batch"):
        TrainingConfig(batch=1)
