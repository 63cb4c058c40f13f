from dataclasses import replace
from pathlib import Path

import pytest
import torch

from anyskill import rotation
from anyskill.motion.errors import MotionError
from anyskill.motion.joint_map import find_joints, load_joint_map
from anyskill.motion.source import SourceMotion
from tests.motion.made_up import CMU

# pelvis, spine, chest, head, then arm, forearm, hand, thigh, shin, foot, toe of the left and of the right.
SPELLINGS = {
    "cmu": "Hips Spine Spine1 Head LeftArm LeftForeArm LeftHand LeftUpLeg LeftLeg LeftFoot LeftToeBase "
    "RightArm RightForeArm RightHand RightUpLeg RightLeg RightFoot RightToeBase",
    "asf": "root lowerback thorax head lhumerus lradius lwrist lfemur ltibia lfoot ltoes "
    "rhumerus rradius rwrist rfemur rtibia rfoot rtoes",
    "mixamo": "mixamorig:Hips mixamorig:Spine mixamorig:Spine2 mixamorig:Head "
    "mixamorig:LeftArm mixamorig:LeftForeArm mixamorig:LeftHand mixamorig:LeftUpLeg mixamorig:LeftLeg "
    "mixamorig:LeftFoot mixamorig:LeftToeBase mixamorig:RightArm mixamorig:RightForeArm mixamorig:RightHand "
    "mixamorig:RightUpLeg mixamorig:RightLeg mixamorig:RightFoot mixamorig:RightToeBase",
    "smpl": "Pelvis Spine1 Spine3 Head L_Shoulder L_Elbow L_Wrist L_Hip L_Knee L_Ankle L_Foot "
    "R_Shoulder R_Elbow R_Wrist R_Hip R_Knee R_Ankle R_Foot",
    "motionbuilder": "Character1_Hips Character1_Spine Character1_Spine1 Character1_Head "
    "Character1_LeftArm Character1_LeftForeArm Character1_LeftHand Character1_LeftUpLeg Character1_LeftLeg "
    "Character1_LeftFoot Character1_LeftToeBase Character1_RightArm Character1_RightForeArm Character1_RightHand "
    "Character1_RightUpLeg Character1_RightLeg Character1_RightFoot Character1_RightToeBase",
    "biped": "Bip01/Bip01_Spine/Bip01_Spine1/Bip01_Head/Bip01 L UpperArm/Bip01 L Forearm/Bip01 L Hand/Bip01 L Thigh/"
    "Bip01 L Calf/Bip01 L Foot/Bip01 L Toe0/Bip01 R UpperArm/Bip01 R Forearm/Bip01 R Hand/Bip01 R Thigh/"
    "Bip01 R Calf/Bip01 R Foot/Bip01 R Toe0",
    "unreal": "pelvis spine_01 spine_03 head upperarm_l lowerarm_l hand_l thigh_l calf_l foot_l ball_l "
    "upperarm_r lowerarm_r hand_r thigh_r calf_r foot_r ball_r",
    "blender": "hips spine chest head upper_arm.L forearm.L hand.L thigh.L shin.L foot.L toe.L "
    "upper_arm.R forearm.R hand.R thigh.R shin.R foot.R toe.R",
    "poser": "hip abdomen chest head lShldr lForeArm lHand lThigh lShin lFoot lFoot_end "
    "rShldr rForeArm rHand rThigh rShin rFoot rFoot_end",
}
PARENTS = (-1, 0, 1, 2, 2, 4, 5, 0, 7, 8, 9, 2, 11, 12, 0, 14, 15, 16)
LIMBS = ("upper_arm", "lower_arm", "hand", "thigh", "shin", "foot", "toe")
EXPECTED = {"pelvis": 0, "torso": 2, "head": 3} | {
    f"{side}_{limb}": start + i for side, start in (("left", 4), ("right", 11)) for i, limb in enumerate(LIMBS)
}


def skeleton(names: list[str]) -> SourceMotion:
    count = len(names)
    still = rotation.identity(2, count, dtype=torch.float64)
    zero = torch.zeros(count, 3, dtype=torch.float64)
    return SourceMotion(tuple(names), (*PARENTS, *[0] * count)[:count], zero, still[0], still, zero[:2], 30.0)


@pytest.mark.parametrize("kind", SPELLINGS)
def test_every_usual_spelling_is_understood(kind: str) -> None:
    names = SPELLINGS[kind].split("/" if "/" in SPELLINGS[kind] else " ")
    assert find_joints(skeleton(names)) == EXPECTED


def test_meshes_under_latin_names_are_not_limbs() -> None:
    names = [*SPELLINGS["motionbuilder"].split(), "L_Humerus", "L_Radius", "L_Tibia", "L_Femur"]
    source = replace(skeleton(names), parents=(*PARENTS, 4, 5, 8, 7))
    assert find_joints(source) == EXPECTED
    names = ["L_Tibia", *SPELLINGS["cmu"].split()]  # beside the limb instead of in it
    names[names.index("LeftLeg")] = "LeftKnee"
    source = replace(skeleton(names), parents=(-1, 0, *(parent + 1 for parent in PARENTS[1:])))
    assert find_joints(source)["left_shin"] == names.index("LeftKnee")


def test_missing_joints_are_named() -> None:
    names = SPELLINGS["cmu"].split()
    names[names.index("LeftHand")] = "Paddle"
    names[names.index("Head")] = "Periscope"
    with pytest.raises(MotionError, match=r"no joint was found for head, left_hand;.*Paddle"):
        find_joints(skeleton(names))


def test_a_map_fills_gaps_and_may_leave_bodies_out() -> None:
    names = SPELLINGS["cmu"].split()
    names[names.index("LeftHand")] = "Paddle"
    found = find_joints(skeleton(names), {"left_hand": "Paddle", "head": None, "torso": "Spine"})
    assert found["left_hand"] == names.index("Paddle")
    assert found["torso"] == names.index("Spine")
    assert "head" not in found


@pytest.mark.parametrize(("override", "said"), [({"tail": "Hips"}, "tail"), ({"head": "Periscope"}, "Periscope")])
def test_a_map_must_name_what_exists(override: dict[str, str | None], said: str) -> None:
    with pytest.raises(MotionError, match=said):
        find_joints(skeleton(SPELLINGS["cmu"].split()), override)


def test_map_files(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("".join(f"{body}: {joint}\n" for body, joint in CMU.items()) + "left_toe: null\n")
    assert load_joint_map(path) == CMU | {"left_toe": None}
    path.write_text("- a list\n")
    with pytest.raises(MotionError, match="lines of the form"):
        load_joint_map(path)
    path.write_text("{")
    with pytest.raises(MotionError, match="not YAML"):
        load_joint_map(path)
    with pytest.raises(MotionError, match="no such"):
        load_joint_map(tmp_path / "none.yaml")
