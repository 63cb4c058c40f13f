"""How conditions are put together, and what is said about tests that cannot be read."""

import pytest

from anyskill.evaluate.errors import EvaluationError
from anyskill.evaluate.tests import read_test, success
from tests.evaluate.tracks import moving, pose

RIGHT = pose(right_upper_arm=(-172.0, 0.0, 0.0), seconds=1.0)


def holds(expression: object, track=RIGHT) -> bool:
    return bool(read_test(expression)(track).any())


def test_sides() -> None:
    for side, expected in {"right": True, "left": False, "both": False, "either": True, "one": True}.items():
        assert holds({"hand_above": side}) is expected
        assert holds({"hand_above": {"side": side, "by": 0.1}}) is expected
    assert not holds({"hand_above": {"side": "right", "by": 0.5}})


def test_all_any_not() -> None:
    yes, no = {"hand_above": "right"}, {"hand_above": "left"}
    assert holds({"any": [no, yes]}) and not holds({"all": [no, yes]})
    assert holds({"all": [yes, {"not": no}, "upright"]}) and not holds({"not": yes})


def first_up_then_bent(pause: float):
    """The right arm is up for a second; ``pause`` seconds later the left knee is bent for good."""
    return moving(
        right_upper_arm=lambda t: (-172.0 * (t < 1), 0.0, 0.0),
        left_shin=lambda t: (0.0, 80.0 * (t > 1 + pause), 0.0),
        seconds=8.0,
    )


def test_then_wants_an_order_and_some_haste() -> None:
    up, bent = {"hand_above": "right"}, {"knee_bent": "left"}
    assert holds({"then": [up, bent]}, first_up_then_bent(1.0))
    assert not holds({"then": [bent, up]}, first_up_then_bent(1.0))
    assert not holds({"then": [up, bent]}, first_up_then_bent(4.0))


def test_hold_and_success() -> None:
    up = {"hand_above": "right"}
    track = first_up_then_bent(1.0)
    assert holds({"hold": 0.9, "of": up}, track) and not holds({"hold": 1.1, "of": up}, track)
    test = read_test(up)
    assert success(track, test, 0.9).tolist() == [True]
    assert success(track, test, 1.1).tolist() == [False]
    assert success(track, test, 0.0).tolist() == [True]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("fly", "fly is no condition; there are standing,"),
        (3, "3 is no test"),
        ({}, "is no test"),
        ({"standing": {}, "upright": {}}, "more than one test; put them into a list"),
        ({"all": ["standing"]}, "all needs a list of two or more tests"),
        ({"any": "standing"}, "any needs a list"),
        ({"then": ["standing", "upright", "upright"]}, "then needs a list of two tests"),
        ({"hold": -1, "of": "standing"}, "hold is -1; it must be a number of seconds"),
        ({"hold": 1}, "hold is no condition"),
        ({"standing": {"height": 1}}, "height is no parameter of standing, which takes lean"),
        ({"standing": {"lean": "far"}}, "lean of standing is 'far'; it must be a number"),
        ({"standing": {"lean": True}}, "lean of standing is True"),
        ({"standing": "right"}, "side is no parameter of standing"),
        ({"standing": 5}, "standing has parameters 5"),
        ({"on_feet": {"a": 1}}, "a is no parameter of on_feet, which takes no parameters"),
        ({"hand_above": "top"}, "side of hand_above is 'top'; it must be one of right, left, both, either, one"),
        ("hand_above", "hand_above needs side"),
        ({"leaning": {"least": 3}}, "leaning needs direction"),
        ({"__import__": "os"}, "__import__ is no condition"),
    ],
)
def test_what_cannot_be_read_is_explained(expression: object, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        read_test(expression)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ({"leaning": {"direction": "sideways"}}, "direction is 'sideways'; it must be one of forward,"),
        ({"hand_at": {"side": "right", "place": "moon"}}, "place is 'moon'; it must be one of hip,"),
        ({"hand_above": {"side": "right", "level": "sky"}}, "level is 'sky'; it must be one of head,"),
        ({"lying": {"face": "out"}}, "face is 'out'; it must be one of any, up, down"),
        ({"head_turned": {"direction": "forward"}}, "direction is 'forward'; it must be one of left,"),
    ],
)
def test_unknown_words_are_explained_when_applied(expression: object, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        read_test(expression)(RIGHT)
