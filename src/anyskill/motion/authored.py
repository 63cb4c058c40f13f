"""The motions that come with this package: authored by hand, so that a fresh machine has something to imitate."""

from functools import lru_cache
from importlib.resources import as_file, files

from anyskill.motion.clip import Clip
from anyskill.motion.dataset import Motion
from anyskill.motion.keyframes import read_keyframe_motions


@lru_cache
def authored_motions() -> tuple[Motion, ...]:
    """All shipped motions with their categories, mirrored ones included."""
    motions: list[Motion] = []
    with as_file(files("anyskill") / "assets" / "motions") as folder:
        for path in sorted(folder.glob("*.yaml")):
            motions += read_keyframe_motions(path)
    return tuple(motions)


def authored_clips() -> tuple[Clip, ...]:
    """The clips of ``authored_motions``."""
    return tuple(motion.clip for motion in authored_motions())
