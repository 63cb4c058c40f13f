import pytest
import torch

from anyskill.learning.errors import LearningError
from anyskill.learning.guard import check_finite


def test_the_first_tensor_at_fault_is_named() -> None:
    fine = {"a": torch.zeros(3), "clip": torch.arange(3), "mask": torch.ones(2, dtype=torch.bool)}
    check_finite("rollout", fine)
    check_finite("rollout", {})
    wrong = fine | {"b": torch.tensor([[1.0, torch.nan], [-torch.inf, 0.0]]), "c": torch.tensor(torch.nan)}
    with pytest.raises(LearningError, match=r"^rollout b: 2 of 4 numbers are NaN or infinite; go on from the last"):
        check_finite("rollout", wrong)


def test_large_numbers_are_fine() -> None:
    check_finite("rollout", {"huge": torch.full((100,), 3e38)})  # their sum is not finite
