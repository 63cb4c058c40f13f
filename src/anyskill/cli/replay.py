"""``anyskill replay``: a film of the last second before a simulated world blew up."""

import sys
from pathlib import Path
from typing import Annotated

import tyro


def replay(dump: Annotated[Path, tyro.conf.Positional], out: Path = Path(), size: int = 480) -> None:
    """Draw what the flight recorder kept of a world that blew up: an mp4 film and a PNG contact sheet.

    Args:
        dump: A file ``blown-up-….npz``.
        out: Folder for the two files.
        size: Width and height of the film in pixels.
    """
    import torch

    from anyskill.body.skeleton import skeleton_of
    from anyskill.body.state import BodyState
    from anyskill.render.raytracer import RenderError
    from anyskill.render.video import draw_motion
    from anyskill.sim.engine import CONTROL_DT
    from anyskill.sim.recorder import load_flight

    flight = load_flight(dump)
    skeleton = skeleton_of(flight.character)
    states = BodyState.at_rest(skeleton, *skeleton.pose(flight.qpos))
    finite = torch.isfinite(torch.cat((states.positions, states.rotations), -1)).flatten(1).all(-1)
    if not finite.any():
        raise RenderError(f"{dump} holds no frame with finite numbers, so there is nothing to draw.")
    dropped = int((~finite).sum())
    if dropped:
        print(f"{dropped} of {len(finite)} frames are not finite and are left out.", file=sys.stderr)
    paths = draw_motion(
        states[finite], 1 / CONTROL_DT, out, dump.stem, size=size, character=flight.character, progress=True
    )
    for path in paths:
        print(path)
