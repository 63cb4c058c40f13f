import json
import math

import pytest
import torch
from scipy.stats import spearmanr
from torch.nn.functional import normalize

from anyskill.body.humanoid import HUMANOID
from anyskill.learning.errors import LearningError
from anyskill.vision_language.picture_features import PictureFeatures, Views
from anyskill.vision_language.projection import Projection
from anyskill.vision_language.projection_audit import Audit, AuditConfig, compare
from anyskill.vision_language.projection_states import MotionStates

from .bodies import library
from .color_model import ColorModel


def noisy(amount: float, count: int = 300) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Projected and true features, and those of two sentences."""
    generator = torch.Generator().manual_seed(0)
    true = normalize(torch.randn(count, 16, generator=generator), dim=-1)
    projected = normalize(true + amount * torch.randn(count, 16, generator=generator), dim=-1)
    return projected, true, normalize(torch.randn(2, 16, generator=generator), dim=-1)


def test_the_numbers() -> None:
    projected, true, texts = noisy(0.1)
    report = compare(projected, true, ["jump", "sit"], texts)
    cosines = (projected * true).sum(-1)
    assert report.states == 300
    assert report.cosine == pytest.approx(float(cosines.mean()), abs=1e-6)
    assert report.worst_cosine == pytest.approx(float(cosines.quantile(0.01)), abs=1e-6)
    residual, spread = projected - true, true - true.mean(0)
    assert report.explained == pytest.approx(1 - float((residual**2).sum() / (spread**2).sum()), abs=1e-5)
    for sentence, text in zip(["jump", "sit"], texts, strict=True):
        expected = spearmanr((projected @ text).numpy(), (true @ text).numpy()).statistic
        assert report.spearman[sentence] == pytest.approx(expected, abs=1e-9)
    ranks = [(features @ texts[0]).argsort().argsort().double() for features in (projected, true)]
    by_hand = 1 - 6 * float((ranks[0] - ranks[1]).square().sum()) / (300 * (300**2 - 1))
    assert report.spearman["jump"] == pytest.approx(by_hand, abs=1e-9)


def test_a_good_projection_passes() -> None:
    report = compare(*noisy(0.02)[:2], ["jump", "sit"], noisy(0.02)[2])
    assert report.reasons == ()
    assert not report.alarm
    assert abs(report.optimism) < 0.5
    assert "ALARM" not in report.summary()


def test_alarms_name_what_is_wrong() -> None:
    projected, true, texts = noisy(0.5)
    report = compare(projected, true, ["jump", "sit"], texts)
    assert report.alarm
    assert len(report.reasons) == 3
    assert "mean cosine" in report.reasons[0] and "below 0.95" in report.reasons[0]
    assert '"jump"' in report.reasons[1]
    assert report.summary().count("ALARM") == 3
    assert not compare(projected, true, ["jump"], texts[:1], AuditConfig(cosine=0.1, spearman=0.1)).alarm


def test_what_is_right_on_average_may_still_rank_wrongly() -> None:
    generator = torch.Generator().manual_seed(0)
    common = 10 * torch.ones(16)
    true, other = (normalize(common + torch.randn(200, 16, generator=generator), dim=-1) for _ in range(2))
    report = compare(other, true, ["jump"], normalize(torch.randn(1, 16, generator=generator), dim=-1))
    assert report.cosine > 0.98
    assert report.explained < 0
    assert report.alarm and len(report.reasons) == 1
    assert "ranked differently" in report.reasons[0]


def test_flattery_is_measured() -> None:
    projected, true, texts = noisy(0.0)
    flattered = projected.clone()
    flattered[:30] = texts[0]  # these it likes best, and without reason
    honest, exploited = (compare(p, true, ["jump"], texts[:1]) for p in (projected, flattered))
    assert honest.optimism == pytest.approx(0.0, abs=1e-6)
    score = true @ texts[0]
    assert exploited.optimism == pytest.approx(float((1 - score[:30]).mean() / score.std()), rel=1e-4)


@pytest.mark.parametrize("broken", [0.0, math.nan])
def test_constants_and_nan_are_alarms(broken: float) -> None:
    projected, true, texts = noisy(0.1)
    report = compare(projected * 0 + broken + 1, true, ["jump"], texts[:1])
    assert len(report.reasons) == 2
    record = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert record["spearman"] == {"jump": None}
    assert record["alarm"] is True


def test_an_audit_draws_states_and_looks_at_them() -> None:
    model = ColorModel()
    pictures = PictureFeatures(model, Views(count=2, size=32), batch=10)
    states = MotionStates(library())(40, torch.Generator().manual_seed(1))
    states.positions[..., 1] += torch.arange(40)[:, None]  # some were drawn twice
    projection = Projection.of(model, HUMANOID, torch.Generator().manual_seed(0), views=pictures.views)
    audit = Audit(pictures, ["jump"], AuditConfig(every=10, states=20))
    assert [i for i in range(1, 31) if audit.due(i)] == [10, 20, 30]
    report, compared, true = audit(projection, states, torch.Generator().manual_seed(2))
    assert report.states == len(compared.positions.unique(dim=0)) == 20
    assert torch.allclose(true, pictures(compared), atol=1e-5)
    assert report == compare(projection(compared), true, ["jump"], model.encode_texts(["jump"]))
    assert report.alarm  # it has learnt nothing
    other = audit(projection, states, torch.Generator().manual_seed(3))[1]
    assert not torch.equal(other.positions, compared.positions)


def test_settings_are_checked() -> None:
    with pytest.raises(LearningError, match=r"AuditConfig\.states is 2"):
        AuditConfig(states=2)
