"""What a sentence encoder of others says of many sentences: the source of BodyCLIP's wider vocabulary.

The teacher is only asked once; its answers are kept in a file, and neither training nor product needs it again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from anyskill.learning.errors import LearningError
from anyskill.learning.state import read_state, write_state
from anyskill.vision_language.bodyclip.paraphrases import Paraphrases
from anyskill.vision_language.model import VisionLanguageError

_TOGETHER = 128  # sentences encoded at once
_WIDTH = 0.025
_NEAR = 0.4  # cosine of a sentence to one whose meaning is known, below which it is about something else


@dataclass(frozen=True)
class Lessons:
    """Sentences and the teacher's features of them."""

    texts: tuple[str, ...]
    features: Float[Tensor, "sentence d"]

    def sample(
        self, count: int, generator: torch.Generator
    ) -> tuple[Int[Tensor, "n"], list[str], Float[Tensor, "n d"]]:
        """Some of them, with replacement: where they are, and what."""
        rows = torch.randint(len(self.texts), (count,), generator=generator)
        return rows, [self.texts[row] for row in rows.tolist()], self.features[rows].float()

    def save(self, path: Path) -> None:
        """Write them in half precision."""
        write_state(path, {"texts": list(self.texts), "features": self.features.half()})

    def rows(self, texts: Iterable[str]) -> Int[Tensor, "n"]:
        """Where some sentences are.

        Raises:
            VisionLanguageError: If one of them is missing.
        """
        places = {text: row for row, text in enumerate(self.texts)}
        try:
            return torch.tensor([places[text] for text in texts])
        except KeyError as error:
            raise VisionLanguageError(f"the lessons lack {error}; make them anew with `bodyclip teacher`.") from error

    @classmethod
    def load(cls, path: Path) -> "Lessons":
        """Read what ``save`` wrote.

        Raises:
            VisionLanguageError: If the file is missing, damaged or another.
        """
        try:
            state = read_state(path)
            lessons = cls(tuple(state["texts"]), state["features"])
        except (LearningError, KeyError) as error:
            raise VisionLanguageError(f"{path} holds no lessons ({error}); make it with `bodyclip teacher`.") from error
        if len(lessons.texts) != len(lessons.features):
            raise VisionLanguageError(f"{path} has {len(lessons.texts)} sentences, {len(lessons.features)} features.")
        return lessons


def meaning_of(
    features: Float[Tensor, "n d"],
    known: Float[Tensor, "m d"],
    meanings: Float[Tensor, "m k"],
    nothing: Float[Tensor, "k"],
) -> Float[Tensor, "n k"]:
    """What sentences mean, of unit length: the mean over known sentences, weighted by how alike the teacher finds them.

    A kernel regression (Nadaraya and Watson); weights fall to 1/e over ``_WIDTH`` of the teacher's cosine. One more
    sentence, as alike to all as ``_NEAR``, means ``nothing``: what resembles no other means the same.
    """
    alike = torch.cat((features @ known.T, torch.full_like(features[:, :1], _NEAR)), 1)
    weights = (alike / _WIDTH).softmax(-1)
    sure = 1.0 - weights[:, -1:]
    return sure * normalize(weights[:, :-1] @ meanings, dim=-1) + (1.0 - sure.square()).sqrt() * nothing


class Teacher:
    """A sentence encoder such as all-MiniLM-L6-v2, read from a local folder with ``transformers``.

    Raises:
        VisionLanguageError: If there is none in the folder.
    """

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModel, AutoTokenizer

        if not (folder / "config.json").exists():
            raise VisionLanguageError(
                f"{folder} holds no sentence encoder (config.json, tokenizer.json, model.safetensors); unpack "
                "all-MiniLM-L6-v2 there."
            )
        safe = {"trust_remote_code": False, "local_files_only": True}
        self._tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
        self._model = AutoModel.from_pretrained(folder, use_safetensors=True, **safe).eval()

    def words(self) -> Iterator[str]:
        """The whole words of its vocabulary."""
        yield from sorted(
            word for word in self._tokenizer.get_vocab() if word.isascii() and word.isalpha() and len(word) > 2
        )

    @torch.inference_mode()
    def encode(self, texts: Sequence[str]) -> Float[Tensor, "n d"]:
        """Features of unit length: the mean over a sentence's tokens (Sentence-BERT)."""
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        parts = []
        for start in range(0, len(order), _TOGETHER):
            chosen = [texts[number] for number in order[start : start + _TOGETHER]]
            tokens = self._tokenizer(chosen, padding=True, truncation=True, max_length=128, return_tensors="pt")
            hidden, mask = self._model(**tokens).last_hidden_state, tokens["attention_mask"][..., None]
            parts.append(normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1))
        return torch.cat(parts)[torch.tensor(order).argsort()]

    def lessons(self, meant: Sequence[str], texts: Sequence[str], wider: Sequence[str] = ()) -> Lessons:
        """Its features of the sentences that are meant and of all the texts, each once, and of all the words it knows.

        Of the ``wider`` ones, those count that resemble a sentence that is meant. What judges BodyCLIP is left out.
        """
        known = set(meant)
        taboo = Paraphrases.load().sentences - known
        certain = dict.fromkeys(text for text in (*meant, *texts, *self.words()) if text not in taboo)
        others = [text for text in dict.fromkeys(wider) if text not in certain and text not in taboo]
        features = self.encode((*certain, *others))
        near = (features @ features[: len(known)].T).amax(1) >= _NEAR
        near[: len(certain)] = True
        kept = [text for text, good in zip((*certain, *others), near.tolist(), strict=True) if good]
        return Lessons(tuple(kept), features[near])
