"""Each condition holds where it should, and not for the other side, the other direction or a little less."""

import inspect
import math

import pytest

from anyskill.evaluate.tests import TESTS, read_test
from anyskill.evaluate.track import Track
from tests.evaluate.tracks import REST, moving, pose

UP = {"right_upper_arm": (-172.0, 0.0, 0.0), "left_upper_arm": (172.0, 0.0, 0.0)}
CROSS = {"right_upper_arm": (-90.0, 0.0, 0.0), "left_upper_arm": (90.0, 0.0, 0.0)}
STANDING, KNEELING = pose(), pose(0.47, right_shin=(0, 90, 0), left_shin=(0, 90, 0))
KNEE = pose(right_thigh=(0, -80, 0), right_shin=(0, 80, 0))
ON_BACK, ON_FRONT = pose(0.12, (0, -90, 0)), pose(0.12, (0, 90, 0))
SEATED = pose(0.02, right_thigh=(0, -90, 0), left_thigh=(0, -90, 0))
STRIDE = pose(0.86, right_thigh=(0, -20, 0), left_thigh=(0, 20, 0))


def swing(amplitude: float, hertz: float):
    """From side to side (degrees)."""
    return lambda t: amplitude * (2 * math.pi * hertz * t).sin()


def hand(wave: float = 0.0, hertz: float = 1.5) -> Track:
    """The right forearm up, going from side to side."""
    return moving(
        right_upper_arm=lambda t: (-90.0, 0.0, 0.0),
        right_lower_arm=lambda t: (-80 + swing(wave, hertz)(t), 0.0, 0.0),
    )


def stroke(start: float, end: float, low: bool = True) -> Track:
    """The right elbow opens from ``start`` to ``end`` within a fifth of a second, the forearm pointing forward."""
    raise_ = -90 if low else -150

    def opened(t):
        return end + (start - end) * (1 - ((t - 1) / 0.2).clamp(0, 1))

    return moving(
        right_upper_arm=lambda t: (0.0, raise_ + 0.6 * opened(t), 0.0), right_lower_arm=lambda t: (0.0, -opened(t), 0.0)
    )


CASES = [
    ("standing", STANDING, [KNEELING, ON_BACK, pose(turn=(0, 60, 0))]),
    ("on_feet", STANDING, [KNEELING, SEATED, pose(1.1)]),
    ("upright", KNEELING, [ON_BACK]),
    (
        {"leaning": {"direction": "forward"}},
        pose(turn=(0, 25, 0)),
        [STANDING, pose(turn=(0, -25, 0)), pose(turn=(25, 0, 0))],
    ),
    ({"leaning": {"direction": "left"}}, pose(turn=(-25, 0, 0)), [pose(turn=(25, 0, 0)), pose(turn=(0, 115, 0))]),
    ({"hips": {"below": 0.6}}, KNEELING, [STANDING]),
    (
        {"torso_turned": {"direction": "left"}},
        pose(torso=(0, 0, 30)),
        [STANDING, pose(torso=(0, 0, -30)), pose(turn=(0, 0, 30))],
    ),
    (
        {"head_turned": {"direction": "up"}},
        pose(head=(0, -30, 0)),
        [STANDING, pose(head=(0, 30, 0)), pose(head=(0, 0, 30))],
    ),
    ({"knee_bent": "right"}, KNEE, [STANDING, pose(left_shin=(0, 80, 0))]),
    ({"knee_down": "both"}, KNEELING, [STANDING, SEATED]),
    ({"knee_up": "right"}, KNEE, [STANDING, pose(left_thigh=(0, -80, 0)), pose(right_thigh=(0, 80, 0))]),
    ({"foot_up": "right"}, KNEE, [STANDING, pose(left_thigh=(0, -80, 0))]),
    ({"foot_ahead": "right"}, STRIDE, [STANDING]),
    ({"not": {"foot_ahead": "left"}}, STRIDE, []),
    (
        {"leg_towards": {"side": "left", "direction": "out"}},
        pose(left_thigh=(30, 0, 0)),
        [STANDING, pose(right_thigh=(-30, 0, 0))],
    ),
    ({"hand_above": "both"}, pose(**UP), [STANDING, pose(**CROSS), pose(right_upper_arm=(-172.0, 0.0, 0.0))]),
    ({"hand_above": "one"}, pose(right_upper_arm=(-172.0, 0.0, 0.0)), [STANDING, pose(**UP)]),
    ({"hand_above": {"side": "left", "level": "hip"}}, pose(left_lower_arm=(0, -60, 0)), [STANDING]),
    ({"hand_low": "right"}, pose(0.3), [STANDING]),
    (
        {"hand_at": {"side": "right", "place": "shoulder"}},
        pose(right_lower_arm=(0, -158, 0), right_upper_arm=(0, -10, 0)),
        [STANDING, pose(**UP)],
    ),
    (
        {"hand_on_elbow": "left"},
        pose(right_lower_arm=(0, -90, 0), left_lower_arm=(0, -90, 0), left_upper_arm=(0, 0, -80)),
        [STANDING],
    ),
    ("hands_together", pose(right_upper_arm=(0, -90, 43), left_upper_arm=(0, -90, -43)), [STANDING, pose(**CROSS)]),
    ({"arm_towards": {"side": "both", "direction": "out"}}, pose(**CROSS), [STANDING, pose(**UP)]),
    ({"elbow_bent": "right"}, pose(right_lower_arm=(0, -90, 0)), [STANDING, pose(left_lower_arm=(0, -90, 0))]),
    ("sitting", SEATED, [STANDING, KNEELING, ON_BACK]),
    ({"lying": {"face": "up"}}, ON_BACK, [ON_FRONT, SEATED, STANDING]),
    ({"lying": {"face": "down"}}, ON_FRONT, [ON_BACK, KNEELING]),
    (
        {"moving": {"direction": "forward"}},
        moving(lambda t: (0.5 * t, 0.0, REST)),
        [STANDING, moving(lambda t: (-0.5 * t, 0.0, REST)), moving(lambda t: (0.2 * t, 0.0, REST))],
    ),
    (
        "stepping",
        moving(
            right_shin=lambda t: (0.0, 60 * swing(1, 1)(t).clamp_min(0), 0.0),
            left_shin=lambda t: (0.0, 60 * swing(-1, 1)(t).clamp_min(0), 0.0),
        ),
        [moving(right_shin=lambda t: (0.0, 60 * (t > 2), 0.0)), STANDING],
    ),
    (
        {"turning": {"direction": "left"}},
        moving(turn=lambda t: (0.0, 0.0, 30 * t)),
        [STANDING, moving(turn=lambda t: (0.0, 0.0, -30 * t)), moving(turn=lambda t: (0.0, 0.0, 15 * t))],
    ),
    ({"turning": {"direction": "either"}}, moving(turn=lambda t: (0.0, 0.0, -30 * t)), [STANDING]),
    ("airborne", pose(1.0), [STANDING, pose(0.3)]),
    (
        {"kicking": "right"},
        moving(right_thigh=lambda t: (0.0, -80 * ((t - 1) / 0.3).clamp(0, 1), 0.0)),
        [
            STANDING,
            KNEE,
            moving(right_thigh=lambda t: (0.0, -80 * ((t - 1) / 3).clamp(0, 1), 0.0)),
            moving(left_thigh=lambda t: (0.0, -80 * ((t - 1) / 0.3).clamp(0, 1), 0.0)),
        ],
    ),
    (
        {"hand_moving": {"side": "right", "direction": "out"}},
        moving(right_upper_arm=lambda t: (-90 * ((t - 1) / 0.4).clamp(0, 1), 0.0, 0.0)),
        [STANDING, moving(right_upper_arm=lambda t: (-90 * ((t - 1) / 2).clamp(0, 1), 0.0, 0.0))],
    ),
    (
        {"punching": "right"},
        stroke(110, 5),
        [STANDING, stroke(5, 5), moving(right_upper_arm=lambda t: (0.0, -90 * ((t - 1) / 0.3).clamp(0, 1), 0.0))],
    ),
    ({"waving": "right"}, hand(25), [hand(0), hand(25, 0.2), STANDING]),
    (
        {"swinging": "left"},
        moving(left_upper_arm=lambda t: (0.0, swing(50, 1)(t), 0.0)),
        [STANDING, moving(right_upper_arm=lambda t: (0.0, swing(50, 1)(t), 0.0))],
    ),
    (
        "clapping",
        moving(
            right_upper_arm=lambda t: (0.0, -90.0, 30 + swing(20, 1)(t)),
            left_upper_arm=lambda t: (0.0, -90.0, -30 - swing(20, 1)(t)),
        ),
        [STANDING, pose(right_upper_arm=(0, -90, 43), left_upper_arm=(0, -90, -43))],
    ),
    (
        {"circling": "right"},
        moving(right_upper_arm=lambda t: (0.0, -180 * t, 0.0)),
        [STANDING, moving(right_upper_arm=lambda t: (0.0, swing(90, 0.5)(t), 0.0))],
    ),
    (
        "nodding",
        moving(head=lambda t: (0.0, swing(15, 1)(t), 0.0)),
        [
            STANDING,
            moving(turn=lambda t: (0.0, swing(15, 1)(t), 0.0)),
            moving(head=lambda t: (0.0, 0.0, swing(25, 1)(t))),
        ],
    ),
    (
        "shaking_head",
        moving(head=lambda t: (0.0, 0.0, swing(25, 1)(t))),
        [
            STANDING,
            moving(head=lambda t: (0.0, swing(25, 1)(t), 0.0)),
            moving(turn=lambda t: (0.0, 0.0, swing(25, 1)(t))),
        ],
    ),
    (
        "bobbing",
        moving(lambda t: (0.0, 0.0, 0.75 + swing(0.13, 0.7)(t))),
        [STANDING, moving(lambda t: (0.0, 0.0, 0.85 + swing(0.05, 0.7)(t)))],
    ),
]
"""A test, a track that passes it at some time, and tracks that never do."""


@pytest.mark.parametrize(("expression", "passing", "failing"), CASES, ids=[str(case[0])[:50] for case in CASES])
def test_a_condition_holds_where_it_should(expression: object, passing: Track, failing: list[Track]) -> None:
    test = read_test(expression)
    assert test(passing).any()
    for number, track in enumerate(failing):
        assert not test(track).any(), number


def test_every_condition_has_a_case_and_says_what_it_is() -> None:
    tried = " ".join(str(case[0]) for case in CASES)
    assert {name for name in TESTS if name not in tried} == set()
    assert all(inspect.getdoc(function) for function in TESTS.values())


def test_conditions_are_the_public_functions() -> None:
    assert not [name for name in TESTS if name.startswith("_")]
    assert len(TESTS) >= 30
