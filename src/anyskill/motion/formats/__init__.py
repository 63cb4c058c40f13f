"""Motion files: one module a format, and ``read_motion``, which tells them apart."""

from collections.abc import Callable
from pathlib import Path

from anyskill.motion.clip import Clip
from anyskill.motion.formats.asf_amc import read_amc
from anyskill.motion.formats.bvh import read_bvh
from anyskill.motion.formats.clip_npz import is_clip, load_clip
from anyskill.motion.formats.deepmimic import read_deepmimic
from anyskill.motion.formats.expmap import read_expmap
from anyskill.motion.formats.poselib import read_poselib
from anyskill.motion.formats.reading import fault, read_text
from anyskill.motion.formats.smpl import read_smpl
from anyskill.motion.source import SourceMotion

Motion = SourceMotion | Clip

SUFFIXES = {
    ".amc": "Acclaim motion, with its .asf skeleton beside it (CMU)",
    ".bvh": "Biovision hierarchy (CMU, SFU, Mixamo, MotionBuilder, Blender)",
    ".json": "DeepMimic motion",
    ".npy": "poselib motion (AMP, ASE, CALM, AnySkill)",
    ".npz": "a clip of anyskill's own, or AMASS / SMPL parameters",
    ".txt": "DeepMimic motion, or CMU exponential maps in 117 columns",
}
"""Suffixes that ``read_motion`` reads, and what they stand for."""

_FBX_ADVICE = (
    "FBX files cannot be read; convert it to BVH in Blender, with File > Import > FBX and File > Export > BVH, or with "
    "blender --background --python-expr \"import bpy; bpy.ops.import_scene.fbx(filepath='IN.fbx'); "
    "a = next(o for o in bpy.data.objects if o.type == 'ARMATURE'); bpy.context.view_layer.objects.active = a; "
    "bpy.ops.export_anim.bvh(filepath='OUT.bvh', frame_start=1, "
    'frame_end=int(a.animation_data.action.frame_range[1]))".'
)


def read_motion(path: Path) -> Motion:
    """Read a motion file of any known format, told by its suffix and, where two formats share one, by its content.

    Returns:
        A ``Clip`` if the file is a motion of our own character, else a ``SourceMotion`` to be retargeted.

    Raises:
        MotionFormatError: The file cannot be read; the message says why and, where one can, what to do.
    """
    suffix = path.suffix.lower()
    readers: dict[str, Callable[[Path], Motion]] = {
        ".amc": read_amc,
        ".bvh": read_bvh,
        ".json": read_deepmimic,
        ".npy": read_poselib,
        ".npz": _read_npz,
        ".txt": _read_txt,
    }
    if suffix == ".fbx":
        raise fault(path, _FBX_ADVICE)
    if suffix == ".asf":
        raise fault(path, "this is a skeleton; give one of its .amc motions, which find it by name.")
    if suffix not in readers:
        raise fault(path, f"motion files end in {', '.join(SUFFIXES)}.")
    return readers[suffix](path)


def _read_npz(path: Path) -> Motion:
    return load_clip(path) if is_clip(path) else read_smpl(path)


def _read_txt(path: Path) -> Motion:
    return read_deepmimic(path) if read_text(path).lstrip().startswith("{") else read_expmap(path)
