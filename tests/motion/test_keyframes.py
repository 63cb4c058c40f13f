"""Keyframe files: what they mean, and what is said about wrong ones."""

from pathlib import Path

import pytest
import torch
import yaml

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.clip import Clip
from anyskill.motion.errors import MotionError
from anyskill.motion.keyframes import read_keyframe_motions, read_keyframes
from anyskill.motion.limbs import ankle_of, arms, hinge_turn, legs, sole_of

SKELETON = skeleton_of(HUMANOID)


def read(folder: Path, *keyframes: object, **others: object) -> list[Clip]:
    path = folder / "motions.yaml"
    motion = {"name": "test", "labels": ["move"], "category": {"primary": "idle"}, "keyframes": list(keyframes)}
    path.write_text(yaml.safe_dump({"motions": [motion | others]}))
    return read_keyframes(path)


def bodies(clip: Clip, frame: int) -> dict[str, torch.Tensor]:
    positions, _ = SKELETON.forward(clip.root_positions[frame], clip.rotations[frame])
    return dict(zip(SKELETON.names, positions, strict=True))


def test_a_motion_begins_and_ends_as_written(tmp_path: Path) -> None:
    (clip,) = read(tmp_path, {"after": 1.0, "hold": 0.5, "pose": {"arms": "out"}}, {"after": 1.5})
    assert clip.num_frames == 91 and clip.fps == 30
    standing, held = bodies(clip, 0), bodies(clip, 36)
    assert torch.allclose(clip.rotations[0], clip.rotations[-1], atol=1e-6)
    assert torch.allclose(clip.rotations[30], clip.rotations[45], atol=1e-6)
    for side, sign in (("right", -1), ("left", 1)):
        arm = held[f"{side}_hand"] - held[f"{side}_upper_arm"]
        assert sign * arm[1] > 0.53 and abs(arm[2]) < 0.03  # sideways, straight, level
        assert abs(standing[f"{side}_foot"][2] - 0.05) < 1e-6
        assert torch.allclose(standing[f"{side}_foot"], held[f"{side}_foot"], atol=1e-6)


def test_directions_of_both_halves_of_an_arm(tmp_path: Path) -> None:
    clip = read(tmp_path, {"pose": {"right_arm": {"upper": "out", "lower": "up"}}, "hold": 1.0})[0]
    at = bodies(clip, 0)
    upper, lower = at["right_lower_arm"] - at["right_upper_arm"], at["right_hand"] - at["right_lower_arm"]
    assert torch.allclose(upper, torch.tensor([0, -0.274788, 0], dtype=torch.float64), atol=1e-6)
    assert torch.allclose(lower, torch.tensor([0, 0, 0.258947], dtype=torch.float64), atol=1e-6)


def test_a_hand_goes_to_its_place_on_the_body_and_on_the_ground(tmp_path: Path) -> None:
    place = [0.3, -0.1, -0.1]
    clip = read(tmp_path, {"pose": {"left_arm": {"hand": place}, "torso": {"turn": 30}}, "hold": 1.0})[0]
    positions, rotations = SKELETON.forward(clip.root_positions[0], clip.rotations[0])
    torso = SKELETON.index("torso")
    local = rotation.rotate_inverse(rotations[torso], positions[SKELETON.index("left_hand")] - positions[torso])
    assert torch.allclose(local, torch.tensor([0.3 - 0.02405, -0.1, 0.2435 - 0.1], dtype=torch.float64), atol=1e-6)
    pose = {"arms": {"floor": [0.3, 0.12, 0.2]}, "pelvis": {"height": 0.4, "forward": 40}, "torso": {"forward": 40}}
    at = bodies(read(tmp_path, {"pose": pose, "hold": 1.0})[0], 0)
    for side, sign in (("right", -1), ("left", 1)):
        assert torch.allclose(at[f"{side}_hand"], torch.tensor([0.3, sign * 0.12, 0.2]).double(), atol=1e-4)


def test_joint_angles_are_taken_as_they_are(tmp_path: Path) -> None:
    joints = {"right_shoulder": [10, -40, 20], "right_elbow": -70, "left_hip": [0, -30, 0], "left_knee": 45}
    clip = read(tmp_path, {"pose": {"joints": joints, "balance": "right"}, "hold": 1.0})[0]
    dofs = SKELETON.dofs_from_rotations(clip.rotations[0]).rad2deg()
    assert torch.allclose(dofs[6:10], torch.tensor([10.0, -40, 20, -70]).double(), atol=1e-4)
    assert torch.allclose(dofs[21:25], torch.tensor([0.0, -30, 0, 45]).double(), atol=1e-4)


def test_planted_feet_stay_while_the_pelvis_moves(tmp_path: Path) -> None:
    clip = read(tmp_path, {"after": 1.0, "pose": {"pelvis": {"height": 0.5, "forward": 30, "turn": 15}}})[0]
    positions, rotations = SKELETON.forward(clip.root_positions, clip.rotations)
    for name in ("right_foot", "left_foot"):
        body = SKELETON.index(name)
        assert (positions[:, body] - positions[0, body]).abs().max() < 1e-6
        assert (rotations[:, body] - rotations[0, body]).abs().max() < 1e-6
    assert clip.root_positions[-1, 2] == pytest.approx(0.5, abs=1e-6)
    assert rotation.heading(clip.rotations[-1, 0]).rad2deg() == pytest.approx(15, abs=1e-3)


def test_a_raised_heel_turns_about_the_toes(tmp_path: Path) -> None:
    feet = {"at": [-0.2, 0.1, 0], "heel": 50}
    ahead = {"right_foot": {"at": [0.2, 0.1, 0]}, "pelvis": {"height": 0.75}}
    first, last = {"pose": ahead | {"left_foot": feet | {"heel": 0}}}, {"after": 1, "pose": ahead | {"left_foot": feet}}
    clip = read(tmp_path, first, last)[0]
    positions, rotations = SKELETON.forward(clip.root_positions, clip.rotations)
    foot = SKELETON.index("left_foot")
    toes = positions[:, foot] + rotation.rotate(rotations[:, foot], torch.tensor([0.1335, 0, -0.05]).double())
    assert (toes - torch.tensor([-0.2 + 0.1335, 0.1, 0]).double()).abs().max() < 1e-6


def test_repetition_is_the_same_as_writing_it_out(tmp_path: Path) -> None:
    up, down = {"after": 0.3, "pose": {"arms": "forward"}}, {"after": 0.4}
    short = read(tmp_path, {"repeat": 2, "keyframes": [up, down]})[0]
    long = read(tmp_path, up, down, up, down)[0]
    assert torch.equal(short.rotations, long.rotations)


def test_moving_through_a_keyframe_keeps_the_speed(tmp_path: Path) -> None:
    def speed(through: bool) -> float:
        middle = {"after": 0.5, "through": through, "pose": {"right_arm": [1, 0, -1]}}
        clip = read(tmp_path, middle, {"after": 0.5, "pose": {"right_arm": [1, 0, 1]}})[0]
        turn = SKELETON.dofs_from_rotations(clip.rotations)[:, 7]
        return float((turn[16] - turn[14]).abs())

    assert speed(False) < 0.01
    assert speed(True) > 0.1


def test_mirrored_motions_follow_and_share_the_weight(tmp_path: Path) -> None:
    keyframe = {"after": 1.0, "pose": {"right_arm": [0.2, 0.1, 1]}}
    original, mirrored = read(tmp_path, keyframe, mirror=True, labels=["raise the right arm"])
    assert mirrored.labels == ("raise the left arm",)
    assert bodies(original, -1)["right_hand"][2] == bodies(mirrored, -1)["left_hand"][2] > 1.7
    motions = read_keyframe_motions(tmp_path / "motions.yaml")
    assert [motion.weight for motion in motions] == [0.5, 0.5]
    assert motions[0].category is not None and motions[0].category.primary == "idle"


def test_the_lowest_point_lies_on_the_ground(tmp_path: Path) -> None:
    joints = {f"{side}_hip": [0, -90, 0] for side in ("right", "left")}
    clip = read(tmp_path, {"pose": {"joints": joints, "arms": "forward"}, "hold": 1.0})[0]
    assert clip.root_positions[0, 2] == pytest.approx(0.055, abs=1e-3)  # the radius of a thigh


@pytest.mark.parametrize(
    ("keyframe", "message"),
    [
        ({"after": 1, "pose": {"arm": "up"}}, "the pose has no 'arm'"),
        ({"after": 1, "pose": {"joints": {"right_wrist": 10}}}, "joints has no 'right_wrist'"),
        ({"after": 1, "pose": {"joints": {"right_elbow": float("nan")}}}, "right_elbow must be a finite number"),
        ({"after": 1, "pose": {"joints": {"right_elbow": 30}}}, "right_elbow is turned by 30°, its limit is 0°"),
        ({"after": 1, "pose": {"right_arm": "sideways"}}, "'sideways'; a direction is one of"),
        ({"after": 1, "pose": {"right_arm": {"hand": [0.9, 0.2, 0]}}}, r"right hand's place is 3\d cm out of"),
        ({"after": 1, "pose": {"arms": {"floor": [0.2, 0.1, 0]}}}, r"place of the right hand is \d+ cm out of reach"),
        ({"after": 1, "pose": {"left_foot": {"at": [1.2, 0.1, 0.3]}}}, r"place of the left foot is \d+ cm out of"),
        ({"after": 1, "pose": {"pelvis": {"height": "high"}}}, "pelvis height must be a finite number"),
        ({"after": 1, "pose": {"torso": {"forward": [1]}}}, "torso forward must be a finite number"),
        ({"after": 1, "pose": {"balance": "middle"}}, "balance is 'middle'"),
        ({"after": 1, "pose": {"balance": {"right": 2}}}, "balance right is 2"),
        ({"after": 0}, "times must increase"),
        ({"after": -1}, "times must increase"),
        ({"after": float("inf")}, "after must be a finite number"),
        ({"after": 1, "time": 2}, "the keyframe has no 'time'"),
        ({"repeat": 1.5, "keyframes": []}, "repeat is 1.5"),
    ],
)
def test_wrong_keyframes_are_named(tmp_path: Path, keyframe: object, message: str) -> None:
    with pytest.raises(MotionError, match=message) as caught:
        read(tmp_path, {"after": 1}, keyframe)
    assert str(tmp_path / "motions.yaml") in str(caught.value)
    assert "motion 1 (test), keyframe 2" in str(caught.value)


def test_wrong_files_and_motions_are_named(tmp_path: Path) -> None:
    keyframe = {"after": 1}
    for others, message in (
        ({"labels": []}, "labels must be"),
        ({"labels": [" "]}, "labels must be"),
        ({"mirror": "yes"}, "mirror is 'yes'"),
        ({"keyframes": []}, "keyframes must be"),
        ({"name": ""}, "needs a name"),
        ({"speed": 2}, "the motion has no 'speed'"),
        ({"category": {"primary": "idle", "third": "x"}}, "category has no 'third'"),
        ({"category": {"primary": "sleep"}}, "category primary is 'sleep'"),
        ({"category": {}}, "category primary is None"),
        ({"category": "idle"}, "category must be a mapping"),
        ({"keyframes": [{"hold": 0}]}, "lasts no time"),
        ({"keyframes": [{"after": 1}, {"hold": 1}]}, "needs after"),
    ):
        with pytest.raises(MotionError, match=message):
            read(tmp_path, keyframe, **others)
    path = tmp_path / "broken.yaml"
    for text, message in (("motions: [", "not valid YAML"), ("[]", "a list named motions")):
        path.write_text(text)
        with pytest.raises(MotionError, match=message):
            read_keyframes(path)
    with pytest.raises(MotionError, match="cannot be read"):
        read_keyframes(tmp_path / "absent.yaml")


def test_limbs_reach_where_they_are_sent() -> None:
    generator = torch.Generator().manual_seed(0)
    for limb in (*arms(HUMANOID), *legs(HUMANOID)):
        start, hinge = torch.randn(2, 200, 3, dtype=torch.float64, generator=generator)
        way = torch.nn.functional.normalize(torch.randn(200, 3, dtype=torch.float64, generator=generator), dim=-1)
        far = torch.linspace(0.05, limb.reach + 0.1, 200, dtype=torch.float64)
        turn, angle, missing = limb.solve(start, start + far[:, None] * way, hinge)
        first, second = (torch.tensor([0, 0, -length], dtype=torch.float64) for length in limb.lengths)
        end = start + rotation.rotate(turn, first + rotation.rotate(hinge_turn(angle), second))
        reached = far.clamp_max(limb.reach)
        assert torch.allclose(end, start + reached[:, None] * way, atol=1e-6)
        assert torch.allclose(missing, far - reached, atol=1e-9)
        assert (limb.bend * angle >= 0).all()


def test_soles_and_ankles_are_inverses() -> None:
    generator = torch.Generator().manual_seed(1)
    sole = torch.rand(500, 6, dtype=torch.float64, generator=generator) * 2 - 1
    sole[:, 4] *= 2.5  # pitch beyond a quarter turn, as in a kick
    again = sole_of(*ankle_of(sole))
    assert torch.allclose(again, sole, atol=1e-6)
