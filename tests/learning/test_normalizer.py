import numpy as np
import pytest
import torch

from anyskill.learning.normalizer import RunningNormalizer


def test_statistics_are_those_of_all_data_and_one_first_sample() -> None:
    random = np.random.default_rng(0)
    batches = [random.normal(3, size=(n, 4)) * [1, 10, 0.1, 5] + [0, 1e3, -7, 0] for n in (1, 50, 3, 200)]
    normalizer = RunningNormalizer(4)
    for batch in batches:
        normalizer.update(torch.from_numpy(batch))
    data = np.concatenate(batches)
    count = len(data) + 1  # the first sample is 0 with variance 1
    mean = data.sum(0) / count
    variance = (1 + mean**2 + ((data - mean) ** 2).sum(0)) / count
    assert normalizer.count == count
    np.testing.assert_allclose(normalizer.mean.numpy(), mean, rtol=1e-12)
    np.testing.assert_allclose(normalizer.variance.numpy(), variance, rtol=1e-12)


def test_scaling_clamping_and_back() -> None:
    normalizer = RunningNormalizer(())
    normalizer.mean.fill_(2.0)
    normalizer.variance.fill_(9.0)
    x = torch.tensor([2.0, 5.0, -1.0, 100.0, -100.0])
    scaled = normalizer(x)
    torch.testing.assert_close(scaled, torch.tensor([0.0, 1.0, -1.0, 5.0, -5.0]), atol=1e-5, rtol=0)
    torch.testing.assert_close(normalizer.denormalize(scaled), torch.tensor([2.0, 5.0, -1.0, 17.0, -13.0]))
    torch.testing.assert_close(normalizer.denormalize(torch.tensor(9.0)), torch.tensor(17.0))
    assert normalizer(torch.zeros(3, 2)).shape == (3, 2)


def test_nothing_changes_unless_asked() -> None:
    normalizer = RunningNormalizer(3)
    normalizer.train()
    before = {name: tensor.clone() for name, tensor in normalizer.state_dict().items()}
    normalizer(torch.randn(100, 3))
    assert all(torch.equal(tensor, before[name]) for name, tensor in normalizer.state_dict().items())


def test_a_constant_number_gives_no_infinity() -> None:
    normalizer = RunningNormalizer(1)
    for _ in range(3):
        normalizer.update(torch.full((10000, 1), 4.0))
    assert normalizer.variance.item() == pytest.approx(0.0, abs=1e-3)
    assert normalizer(torch.full((2, 1), 4.0)).isfinite().all()


def test_half_a_million_samples_far_from_zero_lose_no_precision() -> None:
    normalizer = RunningNormalizer(())
    data = torch.randn(500_000, generator=torch.Generator().manual_seed(0)) + 1e4
    for part in data.split(50_000):
        normalizer.update(part)
    # The first sample, at zero, adds 1e8/count to the variance.
    assert normalizer.variance.item() - 1e8 / 500_001 == pytest.approx(data.double().var().item(), rel=0.01)


def test_no_samples_change_nothing() -> None:
    normalizer = RunningNormalizer(3)
    normalizer.update(torch.tensor([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]]))
    before = {name: value.clone() for name, value in normalizer.state_dict().items()}
    normalizer.update(torch.empty(0, 3))
    assert all(torch.equal(value, before[name]) for name, value in normalizer.state_dict().items())
