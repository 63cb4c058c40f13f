"""Intervals against scipy and against numbers from the literature."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from anyskill.evaluate.statistics import Share, wilson


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys(counts: tuple[int, int]) -> None:
    reference = binomtest(*counts).proportion_ci(0.95, method="wilson")
    assert wilson(*counts) == pytest.approx((reference.low, reference.high), abs=1e-9)


def test_known_values() -> None:
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)  # these three: Newcombe 1998, table I
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="3 of 2"):
        wilson(3, 2)


def test_shares_are_pooled() -> None:
    shares = [Share.of(64, 64), Share.of(16, 64)]
    pooled = Share.pooled(shares, 64)
    assert pooled == Share.of(80, 128)
    assert pooled.success == sum(share.success for share in shares) / 2
    assert pooled.low > shares[1].high
    assert str(shares[1]) == "25 % (16–37)"
