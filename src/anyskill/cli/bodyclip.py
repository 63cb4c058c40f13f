"""``anyskill bodyclip``: train the built-in image-text model, measure it, try it."""

import json as json_format
import sys
from pathlib import Path
from typing import Annotated

import tyro


def train(
    out: Path,
    motions: tuple[Path, ...] = (Path("recipes/bodyclip.yaml"),),
    corpus: Path | None = None,
    start: Path | None = None,
    shards: int = 300,
    state_iterations: int = 3000,
    sentence_iterations: int = 6400,
    picture_iterations: int = 26000,
    batch: int = 128,
    learning_rate: float = 2e-3,
    device: str = "cpu",
    seed: int = 0,
    track: str | None = None,
) -> None:
    """Make pictures, train on them and write the model; or go on with a run that was stopped.

    Ctrl-C and SIGTERM save first; the same command then goes on from there. With `bodyclip teacher` before the first
    start, the words of a sentence encoder are learnt as well.

    Args:
        out: Folder of the run; the model is bodyclip.safetensors in it.
        motions: Data sets of clips (YAML). Beside the recipe's, the motions.yaml of `controller record` shows what
            clips look like when a simulated body does them.
        corpus: Folder of sentences about motion (.jsonl).
        start: A trained model to go on from, for example with motions of your own.
        shards: Files of 1 024 moments with one to four pictures each; 80 MB a file.
        state_iterations: Gradient steps of the state tower, which learns what is claimed of bodies.
        sentence_iterations: Gradient steps of the text tower, which come after.
        picture_iterations: Gradient steps of the image tower, which come last. With a model to start from, 0 leaves a
            tower as it is; where the text tower rests, states learn what its sentences claim already.
        batch: Moments in a step of sentences, and pictures in one of pictures.
        learning_rate: At its highest; what goes on from a model needs less.
        device: cpu or cuda.
        seed: Of everything random.
        track: Also send metrics to this project of Weights & Biases.
    """
    from anyskill.vision_language.bodyclip.recipe import BodyClipRecipe
    from anyskill.vision_language.bodyclip.settings import TrainingConfig
    from anyskill.vision_language.bodyclip.shards import ShardsConfig

    config = TrainingConfig(
        state_iterations=state_iterations,
        sentence_iterations=sentence_iterations,
        picture_iterations=picture_iterations,
        batch=batch,
        learning_rate=learning_rate,
        seed=seed,
    )
    recipe = BodyClipRecipe(
        out, motions, ShardsConfig(shards=shards, seed=seed), config, corpus, start, device, track=track
    )
    if recipe.run():
        print(recipe.model_path)
    else:
        print("Stopped; the same command goes on from here.", file=sys.stderr)


def teacher(
    model: Annotated[Path, tyro.conf.Positional],
    out: Path,
    motions: Path = Path("recipes/bodyclip.yaml"),
    corpus: Path | None = None,
    wordnet: Path | None = None,
) -> None:
    """Ask a sentence encoder about many sentences and keep its answers for `bodyclip train`.

    It says which of the wordings and labels, whose meaning is known, an everyday sentence resembles.

    Args:
        model: Folder with a sentence encoder, such as all-MiniLM-L6-v2.
        out: Folder of the run that will learn from it.
        motions: Data set of clips (YAML) of that run, for its labels.
        corpus: Folder of sentences about motion (.jsonl).
        wordnet: Folder of WordNet (data.verb, data.noun), for everyday words and what they mean.
    """
    from anyskill.motion.dataset import load_dataset
    from anyskill.vision_language.bodyclip.claims import Claims
    from anyskill.vision_language.bodyclip.moments import all_labels
    from anyskill.vision_language.bodyclip.recipe import written_texts
    from anyskill.vision_language.bodyclip.teacher import Teacher
    from anyskill.vision_language.bodyclip.wordnet import read_wordnet

    claims = Claims(all_labels(clip.labels for clip in load_dataset(motions).clips))
    everyday = [] if wordnet is None else list(read_wordnet(wordnet))
    lessons = Teacher(model).lessons(list(claims.sentences()), list(written_texts(corpus)), everyday)
    lessons.save(out / "lessons.safetensors")
    print(f"{len(lessons.texts)} sentences and words")


def evaluate(
    pictures: Annotated[Path, tyro.conf.Positional],
    model: Path | None = None,
    manifest: Path | None = None,
    seeds: tuple[int, ...] = (0, 1, 2),
    json: bool = False,
    device: str = "cpu",
) -> None:
    """Measure a model on pictures of motions that it has not seen.

    Args:
        pictures: The folder `pictures` of a run of `bodyclip train`.
        model: A trained model; the one that comes with this package by default.
        manifest: CSV file with columns file and label of the motions: what people call them.
        seeds: Of wordings and choices; figures are means over them.
        json: Print one JSON object: means, and the largest differences from them under `spread`.
        device: cpu or cuda.
    """
    from anyskill.vision_language.bodyclip.evaluation import evaluate as measure
    from anyskill.vision_language.bodyclip.evaluation import summary
    from anyskill.vision_language.bodyclip.shards import Shards

    judged = _model(model, device)
    means, spread = summary([measure(judged, Shards(pictures, "test"), manifest, seed) for seed in seeds])
    if json:
        print(json_format.dumps({**means, "spread": spread}))
        return
    for name, value in means.items():
        print(f"{name:32s} " + ("not measured" if value is None else f"{value:.4g} ± {spread[name]:.2g}"))


def rank(
    sentence: Annotated[str, tyro.conf.Positional],
    files: Annotated[tuple[Path, ...], tyro.conf.Positional],
    model: Path | None = None,
    device: str = "cpu",
) -> None:
    """Order pictures and motions by how well they match a sentence.

    Args:
        sentence: What to look for.
        files: Pictures (PNG, JPEG) and motions of any format; of a motion, its best moment counts.
        model: A trained model; the one that comes with this package by default.
        device: cpu or cuda.
    """
    from anyskill.vision_language.bodyclip.ranking import rank as order

    judge = _model(model, device)
    for found in order(judge, sentence, list(files)):
        when = "" if found.seconds is None else f"  at {found.seconds:.1f} s"
        print(f"{found.cosine:6.3f}  {found.name}{when}")
    print(judge.familiarity([sentence])[0], file=sys.stderr)


def sheet(
    pictures: Annotated[Path, tyro.conf.Positional],
    out: Path,
    sentences: Path | None = None,
    model: Path | None = None,
    device: str = "cpu",
) -> None:
    """Draw sentences with the five pictures that match them best, to look at.

    Args:
        pictures: The folder `pictures` of a run of `bodyclip train`; only motions that it did not train on are used.
        out: The sheet (PNG).
        sentences: A text file, one sentence a line; forty everyday ones by default.
        model: A trained model; the one that comes with this package by default.
        device: cpu or cuda.
    """
    from anyskill.vision_language.bodyclip.shards import Shards
    from anyskill.vision_language.bodyclip.sheet import best_pictures, draw_sheet, read_sentences

    wanted = read_sentences(sentences)
    draw_sheet(best_pictures(_model(model, device), wanted, Shards(pictures, "test")), out)
    print(out)


def card(run: Annotated[Path, tyro.conf.Positional], metrics: Path, out: Path) -> None:
    """Write the card of a trained model: data, training, figures, and what it fails at.

    Args:
        run: Folder of a finished run of `bodyclip train`.
        metrics: What `bodyclip evaluate --json` printed.
        out: The card (Markdown).
    """
    from anyskill.files import write_atomically
    from anyskill.vision_language.bodyclip.card import write_card

    text = write_card(run, metrics)
    with write_atomically(out) as file:
        file.write(text.encode())
    print(out)


def _model(path: Path | None, device: str):  # type: ignore[no-untyped-def]
    from anyskill.vision_language.bodyclip.model import BodyClip, load_bodyclip

    return load_bodyclip(device) if path is None else BodyClip.load(path, device)
