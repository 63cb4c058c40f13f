"""``anyskill controller report``, ``export`` and ``record``."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from anyskill.controller.controller import Controller
    from anyskill.controller.page import Subject
    from anyskill.motion.library import MotionLibrary


def report(
    file: Annotated[Path | None, tyro.conf.Positional] = None,
    motions: Path | None = None,
    out: Path | None = None,
    json: bool = False,
    worlds: int = 256,
    films: bool = False,
    device: str = "cpu",
    seed: int = 0,
) -> None:
    """Measure a controller: does it do the clips, does it stay on its feet, is it smooth?

    Args:
        file: The controller; without, the one that comes with this package.
        motions: Data set of clips (YAML) to measure it on; without, what the file's run was trained on where that is
            known, else the motions that come with this package.
        out: Folder for report.html: figures, charts and pictures on one page.
        json: Print one JSON object instead of a table: shares as fractions, penetration in metres, null where the
            motions hold no motion capture to compare with.
        worlds: Simulated side by side under random latents.
        films: Also write films of the pictured clips into the folder.
        device: cpu or cuda.
        seed: Of everything random.
    """
    from rich.console import Console

    from anyskill.cli.figures_table import figures_table
    from anyskill.controller.controller import Controller, ControllerError, load_controller
    from anyskill.controller.page import write_report
    from anyskill.controller.report import measure

    if films and out is None:
        raise ControllerError("films need a folder; give --out as well.")
    if out is not None and out.exists() and not out.is_dir():
        raise ControllerError(f"{out} is a file; --out must be a folder.")
    console = Console(stderr=True)
    with console.status("loading") as status:
        controller = load_controller(device) if file is None else Controller.load(file, device)
        library = _library(motions, file and file.parent, device)
        result = measure(controller, library, worlds=worlds, seed=seed, tell=status.update)
        page = None
        if out is not None:
            status.update("drawing")
            page = write_report(result, _subject(file, controller, library, worlds), out, films=films)
    if json:
        print(json_format.dumps(result.figures()))
    else:
        Console().print(figures_table(result))
    if page is not None:
        print(page, file=console.file)


def export(
    run: Annotated[Path, tyro.conf.Positional], out: Path, motions: Path | None = None, device: str = "cpu"
) -> None:
    """Write the controller that a run of pretraining has made so far: one file, which needs no motions.

    Args:
        run: Folder of the run: of calm, or of distil+calm.
        out: The controller's file (.safetensors).
        motions: Data set (YAML) whose clips make its bank of latents; without, the one it was trained on.
        device: cpu or cuda.
    """
    from anyskill.controller.controller import ControllerError
    from anyskill.controller.export import controller_of_run, controller_stage

    if out.is_dir():
        raise ControllerError(f"{out} is a folder; --out must be a file such as {out / 'controller.safetensors'}.")
    stage = controller_stage(run)
    controller = controller_of_run(stage, _library(motions, stage, device))
    controller.save(out)
    clips = len(set(controller.names))
    print(f"{out}  {out.stat().st_size / 1e6:.1f} MB, {len(controller.latents)} latents of {clips} clips")


def record(
    out: Path,
    file: Annotated[Path | None, tyro.conf.Positional] = None,
    motions: Path | None = None,
    stretches: int = 200,
    wanders: int = 400,
    seed: int = 0,
) -> None:
    """Write what a controller makes of its clips as motions, for BodyCLIP to learn what simulated bodies look like.

    What is done badly is left out.

    Args:
        out: Folder for the motions (.npz) and motions.yaml, a data set of them.
        file: The controller; without, the one that comes with this package.
        motions: Data set of clips (YAML) to ask it for; without, as for `controller report`.
        stretches: Also so many random stretches of clips that move, done again and again, as a search tries them. Those
            that go less far than their clips go by no name.
        wanders: Also so many bodies under latents that change at random, as a policy that explores.
        seed: Of which stretches and latents.
    """
    import torch

    from anyskill.controller.controller import Controller, load_controller
    from anyskill.controller.record import record as recorded
    from anyskill.controller.record import stretched, wandered, write
    from anyskill.sim.engine import make_engine

    controller = load_controller() if file is None else Controller.load(file)
    library = _library(motions, file and file.parent, "cpu")
    character = library.skeleton.character
    clips = recorded(controller, make_engine(len(library), "cpu", character), library)
    draws = torch.Generator().manual_seed(seed)
    parts = stretched(controller, make_engine(stretches, "cpu", character), library, draws) if stretches else []
    named, count = sum(bool(part.labels) for part in parts), len(parts)
    if wanders:
        parts += wandered(controller, make_engine(wanders, "cpu", character), library, draws)
    done = f"{len(clips)} of {len(library)} clips, {named} of {count} stretches named, {len(parts) - count} wander"
    print(f"{write(clips, out, parts)}  {done}")


def _library(motions: Path | None, run: Path | None, device: str) -> "MotionLibrary":
    """The data set that is named, else the one a run has recorded, else what comes with the package."""
    from anyskill.controller.provenance import Provenance
    from anyskill.controller.report import authored_dataset
    from anyskill.motion.library import MotionLibrary

    if motions is not None:
        return MotionLibrary.load(motions, device)
    if run is not None and (provenance := Provenance.read(run)) is not None:
        return provenance.library(device)
    dataset = authored_dataset()
    return MotionLibrary(dataset.clips, dataset.chances(), device)


def _subject(file: Path | None, controller: "Controller", library: "MotionLibrary", worlds: int) -> "Subject":
    from anyskill.controller.page import Subject
    from anyskill.learning.run_folder import RunFolder

    parameters = sum(weight.numel() for weight in controller.parameters())
    facts = (
        controller.config.character,
        *([] if file is None else [f"{file.stat().st_size / 1e6:.1f} MB"]),
        f"{parameters / 1e6:.2f} million weights",
        f"bank of {len(controller.latents)} latents",
        f"measured on {len(library)} clips and {worlds} worlds",
    )
    metrics = []
    if file is not None and (file.parent / "config.yaml").exists():
        metrics = RunFolder.open(file.parent).metrics()
    title = "the controller of this package" if file is None else f"{file.parent.name}/{file.name}"
    return Subject(title, facts, library.skeleton.character, metrics)
