"""From motions to the file of a trained BodyCLIP, in a folder where every stage goes on where it was stopped.

``pictures/`` (shards), ``start.safetensors`` (the model it began with, if there was one), ``vocabulary.json``,
``training/`` (a run folder), ``bodyclip.safetensors``.
"""

import copy
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import Progress

from anyskill.files import write_atomically
from anyskill.learning.loop import train
from anyskill.learning.run_folder import RunFolder
from anyskill.learning.seeding import Streams
from anyskill.learning.signals import StopRequest
from anyskill.motion.dataset import joined, load_dataset
from anyskill.motion.library import MotionLibrary
from anyskill.text.corpus import load_sentences
from anyskill.text.phrasebook import phrasebook
from anyskill.vision_language.bodyclip.batches import random_batch
from anyskill.vision_language.bodyclip.claims import Claims
from anyskill.vision_language.bodyclip.model import Bank, BodyClip
from anyskill.vision_language.bodyclip.moments import MomentSampler, all_labels
from anyskill.vision_language.bodyclip.settings import TrainingConfig
from anyskill.vision_language.bodyclip.shards import ShardMaker, Shards, ShardsConfig, missing_shards, moments_of
from anyskill.vision_language.bodyclip.teacher import Lessons
from anyskill.vision_language.bodyclip.tokenizer import Tokenizer
from anyskill.vision_language.bodyclip.training import BodyClipTraining
from anyskill.vision_language.model import VisionLanguageError

_VOCABULARY = 16_000  # words at most
_READ = 8192  # generated sentences that the vocabulary is made from
_BANK = 1024  # sentences a new one is compared with
_SHOWN = ("sentences_found", "true_sentence_wins", "states_found", "cosine")


class BodyClipRecipe:
    """Makes pictures, trains, and writes the model.

    Args:
        folder: Of the whole run.
        motions: Data sets (YAML), whose motions have different names.
        shards: What pictures to make.
        config: Settings of the training.
        corpus: A folder of sentences about motion (``text.corpus``), whose words are learnt as well.
        start: A model whose weights and words are taken over at the beginning.
        device: Where pictures are drawn and networks learn.
        progress: Show how it goes.
        track: Project of Weights & Biases.
    """

    def __init__(
        self,
        folder: Path,
        motions: Sequence[Path],
        shards: ShardsConfig,
        config: TrainingConfig,
        corpus: Path | None = None,
        start: Path | None = None,
        device: torch.device | str = "cpu",
        *,
        progress: bool = True,
        track: str | None = None,
    ) -> None:
        self.folder, self.motions, self.shards, self.config = folder, motions, shards, config
        self.corpus, self.start, self.device = corpus, start, torch.device(device)
        self.progress, self.track = progress, track

    @property
    def model_path(self) -> Path:
        """Where the finished model is."""
        return self.folder / "bodyclip.safetensors"

    def run(self) -> bool:
        """Do what is left to do; whether all is done.

        Raises:
            VisionLanguageError: If the run was begun with other settings, or with a model that does not suit them.
        """
        dataset = joined([load_dataset(path) for path in self.motions])
        library = MotionLibrary(dataset.clips, dataset.chances())
        if not self.make_pictures(library):
            return False
        pictures = Shards(self.folder / "pictures", "train")
        moments = moments_of("train", library, self.shards)
        start = self._start()
        lessons_path = self.folder / "lessons.safetensors"
        lessons = Lessons.load(lessons_path) if lessons_path.exists() else None
        tokenizer = self._tokenizer(moments, lessons, start)
        training = BodyClipTraining(self.config, moments, pictures, tokenizer, lessons, self.device)
        if start is not None:
            take_over(start, training)
        path = self.folder / "training"
        run = RunFolder.open(path) if (path / "config.yaml").exists() else RunFolder.create(path, self.config)
        if run.config_as(TrainingConfig) != self.config:
            raise VisionLanguageError(f"{path} was begun with other settings (config.yaml); use them or a new folder.")
        wanted = self.config.iterations
        done = train(training, run, wanted, save_every=200, progress=self.progress, track=self.track, shown=_SHOWN)
        export(training).save(self.model_path)
        return done >= wanted

    def make_pictures(self, library: MotionLibrary) -> bool:
        """Make the shards that are missing; False if asked to stop before the end."""
        folder = self.folder / "pictures"
        missing = missing_shards(self.shards, folder)
        if not missing:
            return True
        maker = ShardMaker(self.shards, library, folder, self.device)
        console = Console(stderr=True, quiet=not self.progress)
        with StopRequest() as stop, Progress(console=console, transient=True) as bar:
            for split, number in bar.track(missing, description="pictures"):
                maker.make(split, number)
                if stop.requested:
                    return not missing_shards(self.shards, folder)
        return True

    def _start(self) -> BodyClip | None:
        """The model to begin with; the run keeps a copy, so that it can go on when that has changed."""
        path = self.folder / "start.safetensors"
        if self.start is not None and not path.exists():
            with write_atomically(path) as file:
                file.write(self.start.read_bytes())
        return BodyClip.load(path) if path.exists() else None

    def _tokenizer(self, moments: MomentSampler, lessons: Lessons | None, start: BodyClip | None) -> Tokenizer:
        """The words of the run, gathered once."""
        path = self.folder / "vocabulary.json"
        if not path.exists():
            if start is None:
                tokenizer = Tokenizer.of([*self._texts(moments), *(lessons.texts if lessons else ())], _VOCABULARY)
            else:
                tokenizer = start.tokenizer
            with write_atomically(path) as file:
                file.write(json.dumps(tokenizer.vocabulary, indent=0).encode())
        return Tokenizer(json.loads(path.read_text("utf-8")))

    def _texts(self, moments: MomentSampler) -> Iterator[str]:
        generator = Streams(self.config.seed)("vocabulary")
        labels = all_labels(moments.library.labels)
        yield from generated_texts(moments, Claims(labels), _READ, generator)
        yield from labels
        yield from written_texts(self.corpus)


def take_over(start: BodyClip, training: BodyClipTraining) -> None:
    """Begin with the weights of a model, and with claims where it puts the sentences that make them.

    Raises:
        VisionLanguageError: If its towers or its vocabulary have other sizes.
    """
    try:
        training.begin_with(start)
    except RuntimeError as error:
        raise VisionLanguageError(
            f"training cannot begin with this model ({' '.join(str(error).split())[:200]})."
        ) from error


def written_texts(corpus: Path | None) -> Iterator[str]:
    """The phrasebook and its sayings, and the sentences of a folder if there is one."""
    for name, description in phrasebook().entries.items():
        yield name
        yield description
    if corpus is not None:
        yield from (sentence.text for sentence in load_sentences(corpus))


def generated_texts(moments: MomentSampler, claims: Claims, count: int, generator: torch.Generator) -> Iterator[str]:
    """Sentences about some moments, true and false ones in turn; at least ``count``, if there is one."""
    made = 0
    while made < count:
        batch = random_batch(moments, claims, 256, generator)
        for pair in zip(batch.texts, batch.negatives, strict=True):
            yield from pair
        made += 2 * len(batch.texts)


def export(training: BodyClipTraining) -> BodyClip:
    """The model as it is now, with a bank of sentences it was trained on; sentences that were trained are shifted."""
    towers = copy.deepcopy(training.towers)
    if training.config.sentence_iterations:
        towers.text.shift += training.shift()
    generator = Streams(training.config.seed)("bank")
    texts = list(generated_texts(training.moments, training.claims, 2 * _BANK, generator))
    names = list(phrasebook().descriptions)
    empty = Bank(torch.zeros(0, training.config.towers.dimension), 0.0)
    model = BodyClip(towers, training.config.towers, training.tokenizer, empty)
    known, new = texts[0 : 2 * _BANK : 2], texts[1 : 2 * _BANK : 2]
    features = model.encode_texts([*known, *names]) - training.nothing
    nearest = (model.encode_texts(new) @ features.T).amax(1)
    model.bank = Bank(features, float(nearest.quantile(0.1)))
    return model
