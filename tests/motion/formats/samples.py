"""One small motion file of each format, made from nothing."""

import json
import math
from pathlib import Path

import numpy as np
import torch

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID, Character
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.clip import Clip
from anyskill.motion.formats.clip_npz import save_clip
from anyskill.motion.formats.poselib import write_poselib

BVH = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Spine
  {
    OFFSET 0 25 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    JOINT Head
    {
      OFFSET 0 30 0
      CHANNELS 3 Zrotation Xrotation Yrotation
      End Site
      {
        OFFSET 0 20 0
      }
    }
  }
  JOINT LeftLeg
  {
    OFFSET 10 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    JOINT LeftFoot
    {
      OFFSET 0 -85 0
      CHANNELS 3 Zrotation Xrotation Yrotation
      End Site
      {
        OFFSET 0 -3 12
      }
    }
  }
}
MOTION
Frames: 3
Frame Time: 0.0333333
0 90 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 90 5 0 0 90 0 0 0 0 0 0 0 -90 0 0 0 0
0 90 10 10 20 30 1 2 3 4 5 6 7 8 9 10 11 12
"""

ASF = """:version 1.10
:name test
:units
  mass 1.0
  length 0.45
  angle deg
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name back
     direction 0 1 0
     length 9
     axis 0 0 0 XYZ
    dof rx ry rz
    limits (-20.0 45.0)
           (-30.0 30.0)
           (-30.0 30.0)
  end
  begin
     id 2
     name head
     direction 0 1 0
     length 3
     axis 0 0 0 XYZ
  end
  begin
     id 3
     name femur
     direction 0 -1 0
     length 7
     axis 0 0 90 XYZ
    dof rx
  end
  begin
     id 4
     name foot
     direction 0 0 1
     length 2
     axis 0 0 0 XYZ
    dof rx rz
  end
:hierarchy
  begin
    root back femur
    back head
    femur foot
  end
"""

AMC = """#!OML:ASF test
:FULLY-SPECIFIED
:DEGREES
1
root 0 16 0 0 0 0
back 0 0 0
femur 0
foot 0 0
2
root 0 16 1 0 90 0
back 10 20 30
femur 90
foot 5 -5
"""


def clip(frames: int = 5, character: Character = HUMANOID, seed: int = 0) -> Clip:
    """A random but smooth motion within reason; hinges bend about +y."""
    generator = torch.Generator().manual_seed(seed)
    skeleton = skeleton_of(character)
    time = torch.linspace(0, 1, frames, dtype=torch.float64)[:, None]
    start = torch.randn(skeleton.num_dof, generator=generator, dtype=torch.float64) * 0.4
    dofs = start + 0.5 * time * torch.randn(skeleton.num_dof, generator=generator, dtype=torch.float64)
    root = rotation.from_rotation_vector(torch.randn(frames, 3, generator=generator, dtype=torch.float64) * 0.2)
    positions = torch.cat((time, 0.5 * time, 0.9 + 0.1 * time), -1)
    return Clip("sample", 30.0, positions, skeleton.rotations_from_dofs(root, dofs), ("wave a hand",), True, character)


def deepmimic_row(duration: float = 1 / 30, **changes: tuple[float, ...]) -> list[float]:
    """A frame of standing; ``changes`` replaces entries by name."""
    names = ["root", "root_rotation", "chest", "neck"]
    for side in ("right", "left"):
        names += [f"{side}_{part}" for part in ("hip", "knee", "ankle", "shoulder", "elbow")]
    row = [duration]
    for name in names:
        rest = (0.0, 0.9, 0.0) if name == "root" else (0.0,) if name[-4:] in ("knee", "lbow") else (1.0, 0.0, 0.0, 0.0)
        row += changes.get(name, rest)
    return row


def write(suffix: str, folder: Path) -> Path:
    """A small valid file with this suffix (or a word that tells two formats with one suffix apart)."""
    path = folder / f"sample{suffix}"
    match suffix:
        case ".bvh":
            path.write_text(BVH)
        case ".amc":
            path.write_text(AMC)
            path.with_suffix(".asf").write_text(ASF)
        case ".npy":
            write_poselib(clip(), path)
        case ".json":
            rows = [deepmimic_row(root=(0.1 * i, 0.9, 0.0), right_knee=(-0.1 * i,)) for i in range(3)]
            path.write_text(json.dumps({"Loop": "wrap", "Frames": rows}))
        case ".npz":
            save_clip(clip(), path)
        case "_amass.npz":
            frames = np.arange(4)[:, None]
            np.savez(
                path,
                poses=np.tile(0.01 * frames, (1, 156)),
                trans=np.tile([0.0, 0.0, 0.9], (4, 1)),
                mocap_framerate=np.array(120.0),
                betas=np.zeros(16),
            )
        case ".txt":
            rows = [[0, 17, i, *[0.01 * i * math.sin(j) for j in range(114)]] for i in range(4)]
            path.write_text("\n".join(",".join(f"{value:g}" for value in row) for row in rows))
    return path


FORMATS = (".bvh", ".amc", ".npy", ".json", ".npz", "_amass.npz", ".txt")
