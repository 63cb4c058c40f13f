"""Which joint of a motion file stands for which body of ours.

Limbs are found by name, in the spellings of CMU (BVH and ASF), SFU, Mixamo, MotionBuilder, 3ds Max, Blender, Unreal and
SMPL; pelvis and torso by the tree itself: they are where the legs and the arms join. A person may override any of it.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from anyskill.motion.errors import MotionError
from anyskill.motion.source import SourceMotion

# Spellings, best first: SMPL has an ankle *and* a foot, and there the foot is the ball of the foot; a "shoulder" is the
# upper arm only in skeletons without an "arm"; rigs may hold the bones' meshes under their Latin names.
_LIMBS = {
    "thigh": ("upleg", "upperleg", "thigh", "hip", "femur"),
    "shin": ("lowleg", "lowerleg", "shin", "calf", "knee", "leg", "tibia"),
    "foot": ("ankle", "foot"),
    "toe": ("toebase", "toe", "toe0", "toes", "ball", "footend", "foot"),
    "upper_arm": ("uparm", "upperarm", "shldr", "arm", "shoulder", "humerus"),
    "lower_arm": ("forearm", "foarm", "lowarm", "lowerarm", "elbow", "radius"),
    "hand": ("wrist", "hand"),
}
_CHAINS = (("thigh", "shin", "foot", "toe"), ("upper_arm", "lower_arm", "hand"))
_HEAD = ("head", "neck", "neck1", "neck01")
_RIG = re.compile(r"^(mixamorig\d*|character\d+|bip\d*|[mf]avg)(?=.)")
_SIDES = {"left": ("left", "l"), "right": ("right", "r")}

JointMap = Mapping[str, str | None]
"""Body of ours → joint of the file; None leaves a body out, which then follows its parent."""


def load_joint_map(path: Path) -> JointMap:
    """Read a joint map: a YAML file of ``body: joint`` lines.

    Raises:
        MotionError: The file is missing or something else than such lines.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MotionError(f"{path}: there is no such joint map.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MotionError(f"{path} is not YAML: {error}") from None
    if not isinstance(content, dict) or not all(isinstance(k, str) for k in content):
        raise MotionError(f"{path} must hold lines of the form `left_hand: LeftWrist`.")
    return {body: None if joint is None else str(joint) for body, joint in content.items()}


def find_joints(source: SourceMotion, override: JointMap | None = None) -> dict[str, int]:
    """Index of the file's joint for each body: pelvis, torso, head, and both sides' limbs; toes where there are any.

    Raises:
        MotionError: A body found no joint, or the override names a body or a joint that does not exist.
    """
    override = override or {}
    plain = [_plain(name) for name in source.names]
    found: dict[str, int | None] = {"head": next(iter(_spelled(plain, _HEAD)), None)}
    for side, letters in _SIDES.items():
        for chain in _CHAINS:
            above = None
            for limb in chain:
                words = [both for word in _LIMBS[limb] for letter in letters for both in (letter + word, word + letter)]
                # A limb hangs from the one before it; a mesh or a helper of the same name does not.
                hang = [j for j in _spelled(plain, words) if above is None or above in _ancestors(source.parents, j)]
                found[f"{side}_{limb}"] = above = hang[0] if hang else None
    _apply(override, found, source)
    for body, limb in (("pelvis", "thigh"), ("torso", "upper_arm")):
        if body not in override:
            found[body] = _meeting(source.parents, found[f"left_{limb}"], found[f"right_{limb}"])
    missing = [body for body, joint in found.items() if joint is None and body not in override and "toe" not in body]
    if missing:
        raise MotionError(
            f"no joint was found for {', '.join(missing)}; name them in a joint map (`body: joint`) from the file's "
            f"joints: {', '.join(source.names)}."
        )
    return {body: joint for body, joint in found.items() if joint is not None}


def _apply(override: JointMap, found: dict[str, int | None], source: SourceMotion) -> None:
    bodies = {"pelvis", "torso", "head", *(f"{side}_{limb}" for side in _SIDES for limb in _LIMBS)}
    for body, joint in override.items():
        if body not in bodies:
            raise MotionError(f"the joint map names {body}, which is none of {', '.join(sorted(bodies))}.")
        if joint is not None and joint not in source.names:
            raise MotionError(
                f"the joint map gives {joint} for {body}, but the file's joints are {', '.join(source.names)}."
            )
        found[body] = None if joint is None else source.names.index(joint)


def _plain(name: str) -> str:
    """``mixamorig:LeftUpLeg`` → ``leftupleg``; ``Bip01 L Thigh`` → ``lthigh``."""
    letters = re.sub(r"[^a-z0-9]", "", name.rsplit(":", 1)[-1].lower())
    return _RIG.sub("", letters)


def _spelled(names: list[str], spellings: list[str] | tuple[str, ...]) -> list[int]:
    """Joints of these names, best spelling first."""
    return [joint for spelling in spellings for joint, name in enumerate(names) if name == spelling]


def _ancestors(parents: tuple[int, ...], joint: int) -> list[int]:
    """The joints above one, nearest first."""
    above = []
    while (joint := parents[joint]) >= 0:
        above.append(joint)
    return above


def _meeting(parents: tuple[int, ...], a: int | None, b: int | None) -> int | None:
    """The nearest joint both joints hang from."""
    if a is None or b is None:
        return None
    others = _ancestors(parents, b)
    return next((joint for joint in _ancestors(parents, a) if joint in others), None)
