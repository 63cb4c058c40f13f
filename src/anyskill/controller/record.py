"""What a controller makes of its clips, as motions of their own: they show what a simulated body looks like at it."""

from pathlib import Path

import torch
import yaml
from jaxtyping import Float, Int
from torch import Tensor

from anyskill.body.state import BodyState
from anyskill.controller.bank import PACE
from anyskill.controller.controller import Controller, ControllerError
from anyskill.controller.recall import recall
from anyskill.files import write_atomically
from anyskill.motion.clip import Clip
from anyskill.motion.formats.clip_npz import save_clip
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import CONTROL_RATE, Engine

FILE = "motions.yaml"
WORST = 0.2  # m, mean distance of the worst body up to which a motion may be called what its clip is called
LIVELY = 0.5  # share of its clip's speed, of the body that moves most there: a punch that stays in guard is no punch
LOWER = 0.06  # m; whose highest place is so much lower than the clip's has not jumped


def record(controller: Controller, engine: Engine, library: MotionLibrary) -> list[Clip]:
    """Ask for every clip of the library, six times a second; what is done well goes by the clip's name and labels.

    ``engine`` needs one world for each clip.

    Raises:
        ControllerError: Nothing is done well.
    """
    recalled, skeleton = recall(controller, engine, library, every=PACE), library.skeleton
    done, wanted = (_highest(states, recalled.lengths) for states in (recalled.done, recalled.wanted))
    rises, lively = done >= wanted - LOWER, recalled.liveliness >= LIVELY
    good = recalled.kept & (recalled.worst <= WORST) & rises & lively
    if not good.any():
        raise ControllerError(
            f"none of the {len(library)} clips is done well enough to go by its name; train the controller longer."
        )
    clips = []
    for number in good.nonzero()[:, 0].tolist():
        states = recalled.done[: int(recalled.lengths[number]), number].to("cpu")
        clips.append(
            Clip(
                f"{library.names[number]}-played",
                CONTROL_RATE,
                states.positions[:, 0].double(),
                skeleton.local_rotations(states.rotations.double()),
                library.labels[number],
                character=skeleton.character,
            )
        )
    return clips


def _highest(states: BodyState, lengths: Int[Tensor, "clip"]) -> Float[Tensor, "clip"]:
    """The root's highest place (m) over the frames that count, of states ``(time, clip)``."""
    height = states.positions[:, :, 0, 2]
    counts = torch.arange(len(height), device=height.device)[:, None] < lengths
    return torch.where(counts, height, 0.0).amax(0)


def write(clips: list[Clip], folder: Path) -> Path:
    """One file a motion, and a data set of all; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    for clip in clips:
        save_clip(clip, folder / f"{clip.name}.npz")
    entries = [{"file": f"{clip.name}.npz"} for clip in clips]
    with write_atomically(folder / FILE) as file:
        file.write(yaml.safe_dump({"motions": entries}, sort_keys=False).encode())
    return folder / FILE
