from pathlib import Path

import pytest
import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.body.state import BodyState
from anyskill.learning.errors import LearningError
from anyskill.learning.loop import train
from anyskill.learning.run_folder import RunFolder
from anyskill.vision_language.picture_features import PictureFeatures, Views
from anyskill.vision_language.projection import Projection
from anyskill.vision_language.projection_audit import Audit, AuditConfig
from anyskill.vision_language.projection_states import MotionStates, vary
from anyskill.vision_language.projection_training import (
    LearnerConfig,
    ProjectionLearner,
    ProjectionTrainer,
    ProjectionTrainingConfig,
)

from .bodies import SKELETON, library
from .color_model import ColorModel

VIEWS = Views(count=2, size=32, interval=0.1)


def trainer(states: int = 512, batch: int = 128, steps: int = 60, frames: int = 1) -> ProjectionTrainer:
    model = ColorModel(frames=frames)
    learner = LearnerConfig(memory=2000, minibatch_size=128, steps=steps, learning_rate=2e-3)
    config = ProjectionTrainingConfig(model.name, states, batch, VIEWS, learner)
    projection = Projection.of(model, HUMANOID, torch.Generator().manual_seed(0), views=VIEWS, units=(128, 128))
    pictures = PictureFeatures(model, VIEWS, batch=64)
    return ProjectionTrainer(config, projection, pictures, MotionStates(library(), frames, 0.1, varied=0.25))


def unexplained(projection: Projection, states: BodyState, features: torch.Tensor) -> float:
    """Share of the features' variance that the projection does not explain."""
    with torch.no_grad():
        error = projection.predict(projection.describe(states)) - features
    return float(error.square().mean() / features.var(0).mean())


def seeded(seed: int = 9) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("frames", [1, 2])
def test_it_learns_what_pictures_say(frames: int) -> None:
    made = trainer(frames=frames)
    states = MotionStates(library(), frames, 0.1, varied=0)(100, seeded())
    truth = made.pictures(states)
    made.timer.take()
    metrics = [made.iterate()[1] for _ in range(4)]
    assert set(made.timer.take()) == {"states", "render", "encode", "update"}
    assert metrics[-1]["loss/squared"] < 0.5 * metrics[0]["loss/squared"]
    assert metrics[-1]["unexplained"] < 0.6 * metrics[0]["unexplained"]
    assert unexplained(made.projection, states, truth) < 0.15


def test_an_audit_passes_what_was_learnt_and_stops_what_was_spoiled() -> None:
    made = trainer(states=768)
    for _ in range(made.config.iterations):
        made.iterate()
    states = MotionStates(library(), varied=0)(100, seeded())
    audit = Audit(made.pictures, ["wave"], AuditConfig(states=100))
    report, _, _ = audit(made.projection, states, seeded())
    assert not report.alarm, report.summary()
    with torch.no_grad():
        made.projection.head.weight.mul_(-1)
    spoiled, _, _ = audit(made.projection, states, seeded())
    assert any("ranked differently" in reason for reason in spoiled.reasons)


def test_a_run_that_was_stopped_goes_on_bit_for_bit(tmp_path: Path) -> None:
    def run(name: str, *iterations: int) -> Projection:
        for number in iterations:
            made = trainer(states=96, batch=32, steps=5)
            path = tmp_path / name
            exists = (path / "config.yaml").exists()
            folder = RunFolder.open(path) if exists else RunFolder.create(path, made.config)
            assert folder.config_as(ProjectionTrainingConfig) == made.config
            assert train(made, folder, number, progress=False) == number
        return made.projection

    assert ProjectionTrainingConfig("x", 96, 32).iterations == 3
    whole, parted = run("whole", 3), run("parted", 1, 3)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, parted.state_dict()[name]), name


def test_refreshing_lowers_the_error_on_new_states() -> None:
    made = trainer()
    for _ in range(3):
        made.iterate()
    on_policy = vary(MotionStates(library(), varied=1)(300, seeded())[:, None], SKELETON, seeded())[:, 0]
    features = made.pictures(on_policy)
    new, held_out = slice(0, 200), slice(200, 300)
    before = unexplained(made.projection, on_policy[held_out], features[held_out])
    scales = made.projection.centre.clone(), made.projection.spread.clone(), made.projection.inputs.mean.clone()
    learner = ProjectionLearner(made.projection, LearnerConfig(minibatch_size=128, steps=40))
    losses = [learner.refresh(on_policy[new], features[new], seeded())["loss/squared"] for _ in range(3)]
    after = unexplained(made.projection, on_policy[held_out], features[held_out])
    assert losses[-1] < 0.6 * losses[0]
    assert after < 0.8 * before
    kept = made.projection.centre, made.projection.spread, made.projection.inputs.mean
    assert all(torch.equal(a, b) for a, b in zip(scales, kept, strict=True))


def test_nan_features_stop_it() -> None:
    made = trainer(states=32, batch=32, steps=1)
    learner = made.learner
    states = MotionStates(library())(8, seeded())
    with pytest.raises(LearningError, match="loss loss/squared"):
        learner.refresh(states, torch.full((8, 12), torch.nan), seeded())


def test_settings_are_checked() -> None:
    with pytest.raises(LearningError, match=r"LearnerConfig\.steps is 0"):
        LearnerConfig(steps=0)
    with pytest.raises(LearningError, match=r"states is 0"):
        ProjectionTrainingConfig("x", states=0)
