"""Features of histories, sentences, and audits."""

import pytest
import torch
from torch.nn.functional import normalize

from anyskill.body.humanoid import HUMANOID
from anyskill.body.state import BodyState
from anyskill.skill.errors import SkillError
from anyskill.skill.features import FeatureSource, Onlooker, ProjectionAudit, Sentences
from anyskill.vision_language.picture_features import PictureFeatures, Views
from anyskill.vision_language.projection import Projection
from anyskill.vision_language.projection_audit import Audit, AuditConfig
from anyskill.vision_language.projection_states import MotionStates, vary
from anyskill.vision_language.projection_training import LearnerConfig, ProjectionTrainer, ProjectionTrainingConfig
from tests.skill.made_up import SKELETON
from tests.vision_language.bodies import library
from tests.vision_language.color_model import ColorModel


def state_at(height: float, worlds: int = 2) -> BodyState:
    positions = torch.zeros(worlds, SKELETON.num_bodies, 3)
    positions[..., 2] = height
    zeros = torch.zeros_like(positions)
    return BodyState(positions, torch.ones(worlds, SKELETON.num_bodies, 4), zeros, zeros, zeros)


def test_histories_reach_back_in_strides_but_not_into_the_last_episode() -> None:
    source = FeatureSource(lambda states: states.positions[:, :, 0, 2], frames=3, stride=2)
    onlooker = Onlooker(source, state_at(0.0))
    nobody = torch.zeros(2, dtype=torch.bool)
    onlooker.watch(state_at(1.0), ~nobody)
    for step in range(2, 8):
        onlooker.watch(state_at(float(step)), nobody if step != 6 else torch.tensor([True, False]))
    assert onlooker.states.batch_shape == (2, 3)
    assert onlooker.feature().tolist() == [[6.0, 6.0, 7.0], [3.0, 5.0, 7.0]]
    other = Onlooker(source, state_at(0.0))
    other.load_state_dict(onlooker.state_dict())
    assert torch.equal(other.feature(), onlooker.feature())


def test_a_model_of_one_picture_sees_states() -> None:
    onlooker = Onlooker(FeatureSource(lambda states: states.positions[:, 0]), state_at(0.0))
    onlooker.watch(state_at(2.0), torch.zeros(2, dtype=torch.bool))
    assert onlooker.states.batch_shape == (2,)
    assert onlooker.feature().tolist() == [[0.0, 0.0, 2.0]] * 2


class Model:
    """Sentences by their length; pictures are not asked for."""

    name, dimension, frames = "fake", 2, 1

    def encode_texts(self, texts: list[str]) -> torch.Tensor:
        return normalize(torch.tensor([[float(len(text)), 5.0] for text in texts]), dim=-1)


def test_sentences() -> None:
    sentences = Sentences.encode(Model(), ["jump", "sit down"], baseline="stand")
    assert len(sentences) == 2
    features = Model().encode_texts(["jump", "sit down", "stand"])
    assert torch.equal(sentences.features, features[:2])
    assert torch.equal(sentences.baseline, features[2])
    for texts in ([], ["jump", "  "]):
        with pytest.raises(SkillError, match="needs a sentence"):
            Sentences.encode(Model(), texts)


def truth(states: BodyState) -> torch.Tensor:
    return normalize(torch.stack((states.positions[:, 0, 2], torch.ones(len(states.positions))), -1), dim=-1)


class Pictures:
    """Truth without pictures."""

    model, views = Model(), Views(interval=0.1)

    def __call__(self, states: BodyState, objects: None = None) -> torch.Tensor:
        return truth(states)


class Fake:
    """A projection that is right, or has it upside down."""

    frames, views = 1, Views()

    def __init__(self, sign: float) -> None:
        self.sign = sign

    def __call__(self, states: BodyState, objects: None = None) -> torch.Tensor:
        return truth(states) * torch.tensor([self.sign, 1.0])


def test_sources_know_the_time_between_pictures() -> None:
    assert FeatureSource.pictures(Pictures()).stride == 3
    assert FeatureSource.projection(Fake(1.0)).stride == 6


def test_audits_are_done_when_due_and_tell_a_wrong_projection(caplog: pytest.LogCaptureFixture) -> None:
    positions = torch.zeros(20, SKELETON.num_bodies, 3)
    positions[..., 2] = torch.linspace(0.1, 1.0, 20)[:, None]
    zeros = torch.zeros_like(positions)
    states = BodyState(positions, torch.ones(20, SKELETON.num_bodies, 4), zeros, zeros, zeros)
    audit = Audit(Pictures(), ["a"], AuditConfig(every=5, states=10))
    generator = torch.Generator().manual_seed(0)
    good, bad = (ProjectionAudit(audit, Fake(sign)) for sign in (1.0, -1.0))
    assert good(4, states, generator) == {}
    report = good(5, states, generator)
    assert report["audit/cosine"] == pytest.approx(1.0, abs=1e-5)
    assert report["audit/alarm"] == 0.0
    assert not caplog.records
    assert bad(10, states, generator)["audit/alarm"] == 1.0
    assert "Audit after 10 iterations" in caplog.text


def test_audits_rank_what_the_policy_does_among_known_poses() -> None:
    positions = torch.zeros(20, SKELETON.num_bodies, 3)
    positions[..., 2] = torch.linspace(0.1, 1.0, 20)[:, None]
    zeros = torch.zeros_like(positions)
    known = BodyState(positions, torch.ones(20, SKELETON.num_bodies, 4), zeros, zeros, zeros)
    audited: list[BodyState] = []
    audit = Audit(Pictures(), ["a"], AuditConfig(every=1, states=12), lambda: known)
    hook = ProjectionAudit(audit, lambda states, objects: audited.append(states) or truth(states))
    alike = known[[19] * 20]
    assert hook(1, alike, torch.Generator().manual_seed(0))["audit/spearman"] == pytest.approx(1.0)
    heights = audited[0].positions[:, 0, 2].sort().values
    assert heights.tolist() == pytest.approx([*positions[:6, 0, 2].tolist(), *[1.0] * 6])


def test_a_projection_learns_from_what_is_audited_and_forgets_nothing() -> None:
    """Of bodies whose arms it has never seen like that, audit by audit, on others of the kind each time."""
    model, views = ColorModel(), Views(count=1, size=24)
    projection = Projection.of(model, HUMANOID, torch.Generator().manual_seed(0), views=views, units=(64, 64))
    pictures, motions = PictureFeatures(model, views, batch=64), MotionStates(library(), varied=0)
    config = ProjectionTrainingConfig(model.name, 256, 128, views, LearnerConfig(minibatch_size=128, steps=100))
    training = ProjectionTrainer(config, projection, pictures, motions)
    training.iterate(), training.iterate()
    known = motions(32, torch.Generator().manual_seed(8))
    audit = ProjectionAudit(Audit(pictures, ["a"], AuditConfig(every=1, states=64), lambda: known), projection)
    assert audit.parts["projection"] is projection

    def wrong(states: BodyState) -> float:
        with torch.no_grad():
            return float((projection(states) - pictures(states)).square().sum(-1).mean())

    draws = torch.Generator().manual_seed(1)
    visited = vary(motions(400, draws)[:, None], SKELETON, draws)[:, 0]
    others, again = visited[:100], motions(100, torch.Generator().manual_seed(9))
    before, remembered = wrong(others), wrong(again)
    for number in range(1, 7):
        audit(number, visited[50 * number + 50 : 50 * number + 100], draws)
    assert wrong(others) < 0.8 * before
    assert wrong(again) < 1.1 * remembered
