"""What a controller makes of its clips, as motions of their own: they show what a simulated body looks like at it."""

from collections.abc import Sequence
from pathlib import Path

import torch
import yaml
from jaxtyping import Bool, Float, Int
from torch import Tensor

from anyskill.body.skeleton import Skeleton
from anyskill.body.state import BodyState
from anyskill.controller.bank import PACE
from anyskill.controller.controller import Controller, ControllerError
from anyskill.controller.play import stand
from anyskill.controller.recall import RESTLESS, counting, recall, speeds, visible_points
from anyskill.controller.wandering import wander
from anyskill.files import write_atomically
from anyskill.motion.clip import Clip
from anyskill.motion.formats.clip_npz import save_clip
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import CONTROL_RATE, Engine

FILE = "motions.yaml"
WORST = 0.2  # m, mean distance of the worst body up to which a motion may be called what its clip is called
LIVELY = 0.5  # share of its clip's speed, of the body that moves most there: a punch that stays in guard is no punch
WAY, SECONDS = 2, 4  # of a part: of a stretch done again and again, to get there, which is left out, and then
STRETCH = (3, 19)  # latents of a path that are done again and again, a random number from this range
FAR, NEAR = 0.7, 0.5  # shares of its clip's swing, of the body that moves most there: to do as it does, and not to
WEIGHT = 0.25  # of a part beside whole clips: there are several of each clip
LOWER = 0.06  # m; whose highest place is so much lower than the clip's has not jumped, or hardly


def record(controller: Controller, engine: Engine, library: MotionLibrary) -> list[Clip]:
    """Ask for every clip of the library, six times a second; what is done well goes by the clip's name and labels.

    ``engine`` needs one world for each clip.

    Raises:
        ControllerError: Nothing is done well.
    """
    recalled = recall(controller, engine, library, every=PACE)
    done, wanted = (_highest(states, recalled.lengths) for states in (recalled.done, recalled.wanted))
    rises, lively = done >= wanted - LOWER, recalled.liveliness >= LIVELY
    good = recalled.kept & (recalled.worst <= WORST) & rises & lively
    if not good.any():
        raise ControllerError(
            f"none of the {len(library)} clips is done well enough to go by its name; train the controller longer."
        )
    return [
        _played(library, number, "", recalled.done[: int(recalled.lengths[number]), number], named=True)
        for number in good.nonzero()[:, 0].tolist()
    ]


def stretched(controller: Controller, engine: Engine, library: MotionLibrary, generator: torch.Generator) -> list[Clip]:
    """Stretches of clips that move, chosen at random and done again and again from standing, one a world.

    What goes much less far than its clip goes by no name: who twitches in the middle of a kick must not be taken to
    kick. What is in doubt is left out. There are none if the controller has no path of a clip that moves.
    """
    device = engine.device
    frames = torch.arange(SECONDS * CONTROL_RATE, device=device)
    time, everything = torch.meshgrid(frames, torch.arange(len(library), device=device), indexing="ij")
    wanted = library.states(everything, time)
    lengths = torch.where(library.loops, len(frames), library.lengths.clamp_max(len(frames)))
    speed, swing = speeds(wanted, lengths), _swing(wanted, library.shows(everything, time))
    paths = {name: bounds for name, *bounds in controller.path_bounds}
    known = torch.tensor([name in paths for name in library.names], device=device)
    moves = (known & (speed.amax(1) > RESTLESS)).nonzero()[:, 0]
    if not len(moves):
        return []
    clip = moves[torch.arange(engine.num_worlds, device=device) % len(moves)]
    begin, end = torch.tensor([paths[library.names[number]] for number in clip.tolist()], device=device).T
    states = _repeated(controller, engine, begin, end, generator)
    always, busiest = torch.ones_like(states.positions[..., 0, 0], dtype=torch.bool), speed.argmax(1)[clip, None]
    share = (_swing(states, always) / swing[clip]).gather(1, busiest)[:, 0]
    lower = _highest(wanted, lengths)[clip] - _highest(states, torch.full_like(clip, len(frames)))
    named, denied = (share >= FAR) & (lower <= LOWER), (share < NEAR) | (lower > 2 * LOWER)
    return [
        _played(library, int(clip[world]), f"-{world // len(moves) + 1}", states[:, world], named=bool(named[world]))
        for world in (named | denied).nonzero()[:, 0].tolist()
    ]


def wandered(controller: Controller, engine: Engine, library: MotionLibrary, generator: torch.Generator) -> list[Clip]:
    """Bodies under latents that change at random, one a world: what a scorer sees while a policy explores.

    They go by no name. Where the simulation broke down there is none.
    """
    seen = wander(controller, engine, library, SECONDS, generator)
    whole = (~seen.lost.any(0)).nonzero()[:, 0].tolist()
    return [_clip(f"wandering-{number + 1}", seen.states[:, number], (), library.skeleton) for number in whole]


def _repeated(
    controller: Controller,
    engine: Engine,
    begin: Int[Tensor, "world"],
    end: Int[Tensor, "world"],
    generator: torch.Generator,
) -> BodyState:
    """What worlds do, over time, that follow random stretches of the paths between two places again and again."""
    n, device = engine.num_worlds, engine.device
    chance = torch.rand(n, generator=generator, device=device)
    first = begin + (chance * (end - begin)).long()
    count = torch.randint(*STRETCH, (n,), generator=generator, device=device)
    stand(engine)
    done = []
    for step in range((WAY + SECONDS) * CONTROL_RATE):
        place = (first + step // PACE % count).minimum(end - 1)
        engine.step(controller.act(engine.state(), controller.paths[place]))
        done.append(engine.state())
    return BodyState.stack(done[WAY * CONTROL_RATE :])


def _played(library: MotionLibrary, number: int, ending: str, states: BodyState, *, named: bool) -> Clip:
    """What was done of a clip, over time; with the clip's labels if it is what they say."""
    name, labels = f"{library.names[number]}-played{ending}", library.labels[number] if named else ()
    return _clip(name, states, labels, library.skeleton)


def _clip(name: str, states: BodyState, labels: tuple[str, ...], skeleton: Skeleton) -> Clip:
    states = states.to("cpu")
    local = skeleton.local_rotations(states.rotations.double())
    return Clip(name, CONTROL_RATE, states.positions[:, 0].double(), local, labels, character=skeleton.character)


def _swing(states: BodyState, counts: Bool[Tensor, "time clip"]) -> Float[Tensor, "clip point"]:
    """Standard deviation (m) of the place of each visible point relative to the root, over the frames that count."""
    places, weights = visible_points(states), counts[..., None, None] / counts.sum(0)[:, None, None].clamp_min(1)
    mean = (weights * places).sum(0)
    return (weights * (places - mean).square()).sum((0, 3)).sqrt()


def _highest(states: BodyState, lengths: Int[Tensor, "clip"]) -> Float[Tensor, "clip"]:
    """The root's highest place (m) over the frames that count, of states ``(time, clip)``."""
    height = states.positions[:, :, 0, 2]
    return torch.where(counting(height, lengths), height, 0.0).amax(0)


def write(clips: list[Clip], folder: Path, parts: Sequence[Clip] = ()) -> Path:
    """One file a motion, and a data set of all, in which parts weigh a quarter; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, str | float]] = []
    for clip in (*clips, *parts):
        save_clip(clip, folder / f"{clip.name}.npz")
        entries.append({"file": f"{clip.name}.npz"})
    for entry in entries[len(clips) :]:
        entry["weight"] = WEIGHT
    with write_atomically(folder / FILE) as file:
        file.write(yaml.safe_dump({"motions": entries}, sort_keys=False).encode())
    return folder / FILE
