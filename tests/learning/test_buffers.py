import pytest
import torch

from anyskill.learning.buffers import RowBuffer
from anyskill.learning.errors import LearningError
from anyskill.learning.rollout import Batch


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rows(first: int, count: int) -> Batch:
    """Rows whose clip tells which they are and whose time goes with it."""
    clip = torch.arange(first, first + count)
    return {"clip": clip, "time": clip.float() / 10}


def held(buffer: RowBuffer) -> list[int]:
    return sorted(buffer.state_dict()["rows"]["clip"].tolist())


def test_a_ring_forgets_the_oldest() -> None:
    buffer = RowBuffer(5)
    buffer.store(rows(0, 3), random())
    assert len(buffer) == 3 and held(buffer) == [0, 1, 2]
    buffer.store(rows(3, 4), random())
    assert len(buffer) == 5 and held(buffer) == [2, 3, 4, 5, 6]
    assert buffer.stored == 7


def test_rows_stay_whole_and_are_drawn_evenly() -> None:
    buffer = RowBuffer(10)
    buffer.store(rows(0, 4), random())
    drawn = buffer.sample(8000, random())
    torch.testing.assert_close(drawn["time"], drawn["clip"].float() / 10)
    counts = torch.bincount(drawn["clip"], minlength=4)
    assert counts.sum() == 8000 and (counts - 2000).abs().max() < 200  # five standard deviations


def test_a_full_buffer_takes_few_new_rows() -> None:
    buffer = RowBuffer(1000, keep=0.01)
    buffer.store(rows(0, 1500), random())  # more than fit: a random choice
    assert len(buffer) == 1000 and max(held(buffer)) > 1400 and min(held(buffer)) < 100
    buffer.store(rows(10_000, 10_000), random(1))
    new = sum(clip >= 10_000 for clip in held(buffer))
    assert 60 < new < 140  # 100 expected, deviation 10


def test_all_rows_are_kept_until_more_than_fit_were_stored() -> None:
    buffer = RowBuffer(100, keep=0.01)
    buffer.store(rows(0, 60), random())
    buffer.store(rows(60, 60), random())
    assert len(buffer) == 100 and held(buffer) == list(range(20, 120))


def test_a_saved_buffer_goes_on_the_same() -> None:
    buffer, other = RowBuffer(50, keep=0.3), RowBuffer(50, keep=0.3)
    buffer.store(rows(0, 70), random())
    other.store(rows(900, 5), random())
    other.load_state_dict(buffer.state_dict())
    for one in (buffer, other):
        one.store(rows(100, 40), random(7))
    assert held(buffer) == held(other)
    ours, theirs = buffer.sample(20, random(8)), other.sample(20, random(8))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_nothing_from_nothing() -> None:
    with pytest.raises(LearningError, match="empty buffer"):
        RowBuffer(5).sample(1, random())
    with pytest.raises(LearningError, match="0 rows"):
        RowBuffer(0)
    big, small = RowBuffer(5), RowBuffer(2)
    big.store(rows(0, 4), random())
    with pytest.raises(LearningError, match="4 rows does not fit into one of 2"):
        small.load_state_dict(big.state_dict())
    empty = RowBuffer(5)
    empty.load_state_dict(RowBuffer(5).state_dict())
    assert len(empty) == 0
