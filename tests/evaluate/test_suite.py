"""The benchmark's tests against motions whose content is known: what a person would say they do, and nothing else."""

from pathlib import Path

import pytest

from anyskill.body.mirror import other_side
from anyskill.evaluate.errors import EvaluationError
from anyskill.evaluate.suite import load_suite
from anyskill.evaluate.tests import success
from anyskill.evaluate.track import Track
from anyskill.motion.importing import load_clip_any
from tests.evaluate.tracks import authored, moving, pose, side_by_side

SUITE = {sentence.text: sentence for sentence in load_suite()}
UP = "lift_overhead raise_both_arms arms_in_a_v hands_up stretch_up wave_both_hands clap_overhead cheer"
RIGHT_UP = "raise_right_arm point_up_with_right_hand stretch_to_the_left"
KICK = "kick_forward_right"

PASS = {
    "raise both arms": UP,
    "raise two arms": UP,
    "raise the right arm": RIGHT_UP,
    "raise the left arm": " ".join(f"{name}-mirrored" for name in RIGHT_UP.split()),
    "put up one hand": " ".join(f"{n} {n}-mirrored" for n in f"{RIGHT_UP} wave_with_right_hand".split()),
    "stretch both arms to the sides": "spread_both_arms flap_arms "
    + " ".join(f"{name} {name}-mirrored" for name in ("stand_on_left_leg", "airplane", "leg_to_the_right")),
    "stretch both arms forward": "push_with_both_hands raise_both_arms_forward",
    "point forward with the right hand": "raise_right_arm_forward point_forward_with_right_hand blow_a_kiss",
    "stretch the left arm to the side": "raise_right_arm_sideways-mirrored point_to_the_right-mirrored",
    "put both hands on the hips": "hands_on_hips lean_back",  # who leans back has the hands on the hips
    "put both hands on the head": "hands_on_head",
    "cross the arms in front of the chest": "cross_arms hug",
    "raised arm bent at the elbow": "chop_with_both_hands pull_hand_over_hand hands_up flex_biceps stretch_up "
    "hands_on_head hands_behind_head cover_face "
    + " ".join(f"{n}_with_right_hand {n}_with_right_hand-mirrored" for n in ("wave", "salute", "phone", "drink")),
    "stand on the left leg": "stand_on_left_leg raise_right_knee tree_pose airplane kick_forward_right "
    "kick_sideways_right leg_to_the_right",
    "raise the right knee": "raise_right_knee",
    "squat down with the arms in front": "squat",
    "bow": "bow deep_bow touch_toes lean_forward chop_with_both_hands",
    "bow at right angle": "deep_bow touch_toes",
    "touch the toes": "touch_toes",
    "lean to the left": "lean_left stretch_to_the_left",
    "look up": "look_up stretch_up lean_back point_up_with_right_hand point_up_with_right_hand-mirrored",
    "lunge forward with the right leg": "lunge_right kneel_on_right_knee-mirrored",  # on the way down
    "left leg forward, right leg retreats": "lunge_right-mirrored step_forward_with_right_foot-mirrored "
    "kneel_on_right_knee kneel_on_both_knees",
    "left foot step backward, right hand extends": "",
    "kneel on both knees": "kneel_on_both_knees sit_on_heels pray_kneeling",
    "kneel on the right knee": "kneel_on_right_knee kneel_on_both_knees",  # one after the other
    "sit down on the ground": "sit_down_on_ground sit_with_knees_up lie_down_on_back",
    "sit down, bent torso, legs folded at knees": "sit_on_heels",
    "lie down on the back": "lie_down_on_back",
    "lie face down": "lie_down_on_front",
    "get down on hands and knees": "on_all_fours lie_down_on_front push_up_position",
    "walk forward": "",
    "move forward": "",
    "run": "",
    "walk backward": "",
    "turn to the left": "turn_left",
    "march in place": "march_in_place",
    "jump": "",
    "legs off the ground, wave hands": "",
    "wave with the right hand": "wave_with_right_hand",
    "clap the hands": "clap clap_overhead",
    "make with both hands big circles in the air": "circle_arms",
    "nod the head": "nod",
    "kick forward with the right leg": KICK,
    "raise one leg and kick it forward": f"{KICK} {KICK}-mirrored",
    "punch with the right hand": "punch_with_right_hand punch_left_and_right",
    "coiling the arm, throw a ball": "throw_with_right_hand throw_with_right_hand-mirrored throw_with_both_hands",
    "dance and turn around": "",
    "dance with arms": "punch_left_and_right circle_arms flap_arms conduct",
}
"""All authored motions that pass each sentence's test."""


def passed(text: str, track: Track) -> list[bool]:
    return success(track, SUITE[text].test, SUITE[text].hold).tolist()


def test_the_table_is_of_all_sentences() -> None:
    assert set(PASS) == set(SUITE) and len(SUITE) >= 36
    assert {"arms", "pose", "floor", "locomotion", "gesture", "action"} == {each.group for each in SUITE.values()}


@pytest.mark.parametrize("text", PASS)
def test_authored_motions_pass_what_they_do_and_nothing_else(text: str) -> None:
    names, track = authored()
    assert {name for name, passes in zip(names, passed(text, track), strict=True) if passes} == set(PASS[text].split())


@pytest.mark.parametrize("text", [text for text in PASS if "right" in text or "left" in text])
def test_a_mirrored_motion_fails_a_one_sided_sentence(text: str) -> None:
    both_ways = {"make with both hands"}
    mirrored = {
        name.removesuffix("-mirrored") if "-mirrored" in name else f"{name}-mirrored" for name in PASS[text].split()
    }
    assert mirrored.isdisjoint(PASS[text].split()) or text in both_ways
    if other_side(text) in PASS:
        assert mirrored & {*authored()[0]} == set(PASS[other_side(text)].split()) & {*authored()[0]}


REAL = {
    "isaacgymenvs_cmu/amp_humanoid_walk.npy": {"walk forward", "move forward"},
    "isaacgymenvs_cmu/amp_humanoid_hop.npy": {"move forward", "jump"},
    "convseq2seq_cmu/train_walking_1.txt": {"walk forward", "move forward"},
    "deepmimic/humanoid3d_jump.txt": {"jump"},
    "isaacgymenvs_cmu/amp_humanoid_run.npy": {"run"},
}
"""Captured motions, and the sentences of getting somewhere that they pass."""


@pytest.mark.parametrize("file", REAL)
def test_captured_motions_get_somewhere(shared_data: Path, file: str) -> None:
    track = side_by_side([load_clip_any(shared_data / "motions" / file)])
    ways = [text for text, sentence in SUITE.items() if sentence.group == "locomotion"]
    assert {text for text in ways if passed(text, track)[0]} == REAL[file]


def test_what_no_authored_motion_does() -> None:
    stride = pose(0.86, left_thigh=(0, 18, 0), right_thigh=(0, -18, 0), left_foot=(0, -18, 0), right_foot=(0, 18, 0))
    assert not passed("left foot step backward, right hand extends", stride)[0]
    reaching = pose(
        0.85,
        right_upper_arm=(0, -85, 0),
        left_thigh=(0, 18, 0),
        right_thigh=(0, -18, 0),
        left_foot=(0, -18, 0),
        right_foot=(0, 18, 0),
    )
    assert passed("left foot step backward, right hand extends", reaching)[0]

    def walk(speed: float, seconds: float = 4.0, hop: float = 0.0) -> Track:
        def swing(phase: float):
            return lambda t: (0.0, 60 * (6 * t + phase).sin().clamp_min(0), 0.0)

        height = 0.89 + hop
        return moving(lambda t: (speed * t, 0.0, height), seconds=seconds, right_shin=swing(0), left_shin=swing(3.1416))

    assert passed("walk backward", walk(-0.5))[0] and not passed("walk backward", walk(0.5))[0]
    assert not passed("walk backward", moving(lambda t: (-0.5 * t, 0.0, 0.89)))[0]  # nobody walks without steps
    assert passed("walk forward", walk(0.5))[0] and not passed("walk forward", walk(0.1))[0]

    spin = moving(
        turn=lambda t: (0.0, 0.0, 60 * t), right_upper_arm=lambda t: (-60 + 50 * (5 * t).sin(), 0.0, 0.0), seconds=5
    )
    assert passed("dance and turn around", spin)[0]
    assert not passed("dance and turn around", moving(turn=lambda t: (0.0, 0.0, 60 * t), seconds=5))[0]

    def rope(t):
        return (0.0, 0.0, 0.89 + 0.12 * (8 * t).sin().clamp_min(0))

    waving = {
        f"{side}_upper_arm": (lambda t, s=s: (s * (90 + 40 * (8 * t).sin()), 0.0, 0.0))
        for side, s in (("right", -1), ("left", 1))
    }
    assert passed("legs off the ground, wave hands", moving(rope, **waving))[0]
    assert not passed("legs off the ground, wave hands", moving(rope))[0]
    assert passed("jump", moving(rope))[0]
    assert not passed("jump", moving(**waving))[0]


def test_standing_still_passes_nothing() -> None:
    for track in (pose(seconds=5.0), pose(0.12, (0, -90, 0), seconds=5.0)):
        got = [text for text in SUITE if passed(text, track)[0]]
        assert got == ([] if track.lean.max() < 1 else ["lie down on the back"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "is not valid YAML"),
        ("sentences: []", "must hold a list named sentences"),
        ("sentences: [{group: arms}]", "sentence 1 needs a text"),
        (
            "sentences: [{text: bow, group: a, test: standing, seconds: 2}]",
            "seconds is not known; a sentence has text,",
        ),
        ("sentences: [{text: bow, test: standing}]", "needs a group"),
        ("sentences: [{text: bow, group: a}]", "needs a test"),
        ("sentences: [{text: bow, group: a, test: standing, hold: -1}]", "hold is -1"),
        ("sentences: [{text: bow, group: a, test: flying}]", r"sentence 1 \(bow\): flying is no condition; there are"),
        ("sentences: [{text: bow, group: a, test: {leaning: {direction: out}}}]", "direction is 'out'; it must be one"),
        ("sentences: [{text: Bow!, group: a, test: upright}, {text: bow, group: a, test: upright}]", "the folder bow"),
    ],
)
def test_a_wrong_file_is_explained(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(EvaluationError, match=message):
        load_suite(path)


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("sentences: [{text: bow, group: a, test: upright}, {text: nod, group: b, hold: 1, test: standing}]")
    assert [sentence.text for sentence in load_suite(path)] == ["bow", "nod"]
    assert [(sentence.text, sentence.hold) for sentence in load_suite(path, "b")] == [("nod", 1.0)]
    with pytest.raises(EvaluationError, match="no group c; there are a, b"):
        load_suite(path, "c")
    with pytest.raises(EvaluationError, match="cannot be read"):
        load_suite(tmp_path / "missing.yaml")
