"""``anyskill projection``: train a state projection, audit it, write its card."""

import json as json_format
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from anyskill.motion.library import MotionLibrary
    from anyskill.vision_language.projection import StateProjection
    from anyskill.vision_language.projection_training import StateSource


def train(
    motions: Annotated[Path, tyro.conf.Positional],
    out: Path,
    vlm: str = "bodyclip",
    controller: Path | None = None,
    views: int = 4,
    size: int = 112,
    states: float = 100e3,
    device: str = "cpu",
    seed: int = 0,
    track: str | None = None,
) -> None:
    """Train a network that predicts what an image-text model sees, from the state of the body alone.

    Ctrl-C and SIGTERM save a checkpoint first; the same command then goes on from there. The result is
    projection.safetensors in the folder of the run.

    Args:
        motions: Data set of clips (YAML).
        out: Folder of the run.
        vlm: The image-text model: bodyclip, a Hugging Face name, or a folder.
        controller: Half of the states are visited by this controller.
        views: Cameras around the body.
        size: Pixels of a side; CLIP and SigLIP were made for 224 and more.
        states: States to render, each from all views.
        device: cpu or cuda.
        seed: Of everything random.
        track: Also send metrics to this project of Weights & Biases.
    """
    from anyskill.body.humanoid import CHARACTERS
    from anyskill.learning import loop
    from anyskill.learning.run_folder import RunFolder
    from anyskill.learning.seeding import Streams
    from anyskill.motion.library import MotionLibrary
    from anyskill.vision_language.model import load_model
    from anyskill.vision_language.picture_features import PictureFeatures, Views
    from anyskill.vision_language.projection import Projection
    from anyskill.vision_language.projection_training import ProjectionTrainer, ProjectionTrainingConfig

    model, library = load_model(vlm, device), MotionLibrary.load(motions, device)
    character = CHARACTERS[library.skeleton.character.name]
    count = round(states)
    config = ProjectionTrainingConfig(model.name, count, min(count, 1024), Views(views, size), seed=seed)
    projection = Projection.of(model, character, Streams(seed)("weights", "cpu"), views=config.views)
    pictures = PictureFeatures(model, config.views, character)
    trainer = ProjectionTrainer(config, projection, pictures, _source(library, projection, controller))
    run = RunFolder.open(out) if (out / "config.yaml").exists() else RunFolder.create(out, config, keep=1)
    done = loop.train(trainer, run, config.iterations, save_every=10, track=track)
    projection.save(out / "projection.safetensors")
    if done < config.iterations:
        print("Stopped; the same command goes on from here.", file=sys.stderr)


def audit(
    file: Annotated[Path | None, tyro.conf.Positional] = None,
    *,
    motions: Path,
    vlm: str = "bodyclip",
    controller: Path | None = None,
    sentences: tuple[str, ...] = (),
    states: int = 200,
    device: str = "cpu",
    seed: int = 0,
    json: bool = False,
) -> None:
    """Compare a projection with real pictures; ends with exit code 1 if they disagree.

    Args:
        file: The projection; without, the one that the model brings along, as bodyclip does.
        motions: Data set of clips (YAML) that states are drawn from.
        vlm: The image-text model it was trained for.
        controller: Half of the states are visited by this controller.
        sentences: By which states are ranked; by default the labels of the motions.
        states: States to render.
        device: cpu or cuda.
        seed: Which states.
        json: Print one JSON object.
    """
    import torch

    from anyskill.motion.library import MotionLibrary
    from anyskill.vision_language.model import VisionLanguageError, load_model
    from anyskill.vision_language.picture_features import PictureFeatures
    from anyskill.vision_language.projection import Projection, load_projection
    from anyskill.vision_language.projection_audit import Audit, AuditConfig

    model, library = load_model(vlm, device), MotionLibrary.load(motions, device)
    projection = load_projection(model) if file is None else Projection.load(file, model)
    sentences = sentences or tuple(dict.fromkeys(label for labels in library.labels for label in labels))
    if not sentences:
        raise VisionLanguageError(f"the motions in {motions} have no labels; give --sentences to rank states by.")
    pictures = PictureFeatures(model, projection.views, library.skeleton.character)
    draws = torch.Generator(device).manual_seed(seed)
    seen = _source(library, projection, controller)(states, draws)
    report, _, _ = Audit(pictures, sentences, AuditConfig(states=states))(projection, seen, draws)
    if json:
        print(json_format.dumps(report.as_dict()))
    else:
        print(report.summary())
    if report.alarm:
        sys.exit(1)


def card(run: Annotated[Path, tyro.conf.Positional], audits: tuple[Path, ...], out: Path) -> None:
    """Write the card of a projection: what it stands for, training, and agreement with pictures.

    Args:
        run: Folder of a finished run of `projection train`.
        audits: What `projection audit --json` printed, for one seed or several.
        out: The card (Markdown).
    """
    from anyskill.files import write_atomically
    from anyskill.vision_language.model import VisionLanguageError
    from anyskill.vision_language.projection_card import write_card

    if not audits:
        raise VisionLanguageError("a card needs figures; give --audits.")
    text = write_card(run, audits)
    with write_atomically(out) as file:
        file.write(text.encode())
    print(out)


def _source(library: "MotionLibrary", projection: "StateProjection", controller: Path | None) -> "StateSource":
    """Motions and variations of them; with a controller, half of the states are its own."""
    from anyskill.vision_language.projection_states import MotionStates, mixed

    history = (projection.frames, projection.views.interval)
    motions = MotionStates(library, *history)
    if controller is None:
        return motions
    from anyskill.controller.controller import Controller
    from anyskill.controller.wandering import Wandering

    return mixed(motions, Wandering(Controller.load(controller, library.device), library, *history))
