from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from anyskill.learning.config import from_plain, to_plain
from anyskill.learning.errors import LearningError


@dataclass(frozen=True)
class Inner:
    rate: float = 1e-3
    limit: float | None = None


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = field(default_factory=Inner)
    units: tuple[int, ...] = ()
    file: Path = Path()
    count: int = 1


def test_there_and_back_through_yaml() -> None:
    settings = Outer("ü", Inner(2e-5, 0.5), (3, 4), Path("a/b"), 7)
    plain = to_plain(settings)
    assert plain == {
        "name": "ü",
        "inner": {"rate": 2e-5, "limit": 0.5},
        "units": [3, 4],
        "file": "a/b",
        "count": 7,
    }
    assert from_plain(Outer, yaml.safe_load(yaml.safe_dump(plain))) == settings


def test_missing_fields_take_their_defaults() -> None:
    assert from_plain(Outer, {"name": "x", "inner": {"limit": None}}) == Outer("x")


def test_numbers_as_people_write_them() -> None:
    assert yaml.safe_load("2e-5") == "2e-5"  # what this is about
    revived = from_plain(Inner, {"rate": "2e-5", "limit": 1})
    assert revived == Inner(2e-5, 1.0) and isinstance(revived.limit, float)


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"name": "x", "inner": {"rat": 1}}, "inner.rat is not a setting; Inner has rate, limit"),
        ({"name": "x", "inner": {"rate": "fast"}}, "inner.rate is 'fast'; it must be of type float"),
        ({"name": "x", "count": 1.5}, "count is 1.5; it must be of type int"),
        ({"name": 3}, "name is 3; it must be of type str"),
        ({"name": "x", "units": [1, "b"]}, "units is 'b'; it must be of type int"),
        ({"count": 1}, "name is missing; Outer cannot do without"),
        ({"name": "x", "inner": 4}, "inner is 4; it must be of type Inner"),
    ],
)
def test_mistakes_are_named(plain: dict, message: str) -> None:
    with pytest.raises(LearningError, match=message):
        from_plain(Outer, plain)
