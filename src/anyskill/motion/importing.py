"""From any motion file to a clip of our character, in one call."""

from dataclasses import replace
from pathlib import Path

from anyskill.body.humanoid import HUMANOID, Character
from anyskill.motion.cleanup import clean_up
from anyskill.motion.clip import Clip
from anyskill.motion.errors import MotionError
from anyskill.motion.formats import read_motion
from anyskill.motion.joint_map import JointMap
from anyskill.motion.keyframes import read_keyframes
from anyskill.motion.retarget import from_origin, retarget
from anyskill.motion.source import SourceMotion

KEYFRAME_SUFFIXES = (".yaml", ".yml")


def load_clips(
    path: Path,
    fps: float | None = 30,
    *,
    clean: bool = True,
    character: Character = HUMANOID,
    joint_map: JointMap | None = None,
) -> list[Clip]:
    """All clips of a file: one of a motion file (``load_clip_any``), any number of a keyframe text (``.yaml``)."""
    if path.suffix.lower() not in KEYFRAME_SUFFIXES:
        return [load_clip_any(path, fps, clean=clean, character=character, joint_map=joint_map)]
    clips = read_keyframes(path)
    return [clip if fps in (None, clip.fps) else clip.resampled(fps) for clip in clips]


def load_clip_any(
    path: Path,
    fps: float | None = 30,
    *,
    clean: bool = True,
    character: Character = HUMANOID,
    joint_map: JointMap | None = None,
) -> Clip:
    """Read a motion of any known format and make it a clip of ``character``, named after its file.

    A clip of our own (``.npz``) has been imported before: it is resampled, no more.

    Args:
        path: The file.
        fps: Frames a second of the clip; None keeps the file's.
        clean: Whether contacts, hovering and limits are put right (``clean_up``).
        character: Whose clip it is to be.
        joint_map: Body → joint, for joints that are not found by their names.

    Raises:
        MotionError: The file cannot be read or does not fit the character.
    """
    motion = read_motion(path)
    if isinstance(motion, SourceMotion):
        try:
            clip = retarget(motion, character, joint_map, fps or motion.fps, name=path.stem)
        except MotionError as error:
            raise MotionError(f"{path}: {error}") from None
    else:
        if motion.character != character:
            raise MotionError(f"{path} is a clip of {motion.character.name}, not of {character.name}.")
        clip = motion if fps in (None, motion.fps) else motion.resampled(fps)
        if path.suffix.lower() == ".npz":
            return clip
        clip = from_origin(clip)
    return replace(clean_up(clip) if clean else clip, name=path.stem)
