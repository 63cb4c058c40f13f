"""From sentences to numbers: words of a vocabulary, and the characters that every word is made of.

A word is told to the text tower twice: by its number in the vocabulary, if it is there, and by the groups of three to
five letters it contains, hashed into buckets (fastText). So a word that was never seen still resembles its relatives:
"stretchy" has most of the letters of "stretching". The order of words is kept.
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Bool, Int
from torch import Tensor

PADDING, UNKNOWN = 0, 1
"""Numbers of no word at all, and of a word that is not in the vocabulary."""
MAX_WORDS = 64
"""What a sentence has beyond is cut off."""
MAX_PIECES = 16
"""Groups of letters told of one word."""

_WORD = re.compile(r"[^\W\d_]+|\d+|[,.;:!?]")
_STOP = re.compile(r"[.;:!?]")


@dataclass(frozen=True)
class Tokens:
    """Sentences as places in a list of the different words that occur in them; place 0 is padding."""

    place: Int[Tensor, "n word"]
    word: Int[Tensor, "different"]
    pieces: Int[Tensor, "different piece"]  # buckets from 1; 0 is padding

    @property
    def mask(self) -> Bool[Tensor, "n word"]:
        """Where there is a word."""
        return self.place != PADDING

    def to(self, device: torch.device | str) -> "Tokens":
        """The same on another device."""
        return Tokens(self.place.to(device), self.word.to(device), self.pieces.to(device))


def split(text: str) -> list[str]:
    """Lower-case words; commas count as words, and so do all other stops, as commas: they part what belongs together.

    Apostrophes go ("person's" is one word) and hyphens part.
    """
    bare = text.lower().replace("'", "").replace("’", "")
    words = [_STOP.sub(",", word) for word in _WORD.findall(bare)]
    while words and words[-1] == ",":
        words.pop()
    return words


class Tokenizer:
    """Words with numbers of their own, and buckets for groups of letters.

    Args:
        vocabulary: Words, the most frequent first; no word twice.
        buckets: How many different groups of letters can be told apart.
    """

    def __init__(self, vocabulary: Sequence[str], buckets: int = 8192) -> None:
        self.vocabulary, self.buckets = tuple(vocabulary), buckets
        self._numbers = {word: number for number, word in enumerate(self.vocabulary, UNKNOWN + 1)}

    @classmethod
    def of(cls, texts: Iterable[str], size: int, buckets: int = 8192) -> "Tokenizer":
        """The ``size`` most frequent words of some texts; among equals, the first in the alphabet."""
        counts = Counter(word for text in texts for word in split(text))
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        return cls(ranked[:size], buckets)

    def __len__(self) -> int:
        """How many numbers of words there are, padding and the unknown word included."""
        return len(self.vocabulary) + UNKNOWN + 1

    def known_share(self, text: str) -> float:
        """Share of a sentence's words that are in the vocabulary; 0 of a sentence without words."""
        words = [word for word in split(text) if word != ","]
        return sum(word in self._numbers for word in words) / max(len(words), 1)

    def encode(self, texts: Sequence[str]) -> Tokens:
        """Sentences as numbers; a sentence without words is one unknown word, so that it has a feature, too."""
        places: dict[str, int] = {}
        rows = [
            [places.setdefault(word, len(places) + 1) for word in (split(text) or [""])[:MAX_WORDS]] for text in texts
        ]
        place = torch.zeros(len(rows), max(map(len, rows), default=1), dtype=torch.long)
        for number, row in enumerate(rows):
            place[number, : len(row)] = torch.tensor(row)
        word = torch.tensor([PADDING, *(self._numbers.get(word, UNKNOWN) for word in places)])
        pieces = torch.zeros(len(places) + 1, MAX_PIECES, dtype=torch.long)
        for text, number in places.items():
            found = _pieces(text, self.buckets)
            pieces[number, : len(found)] = torch.tensor(found, dtype=torch.long)
        return Tokens(place, word, pieces)

    def decode(self, tokens: Tokens) -> list[str]:
        """The sentences in lower case; a question mark stands for every word that is not in the vocabulary."""
        names = ["", "?", *self.vocabulary]
        numbers = tokens.word[tokens.place].tolist()
        return [" ".join(names[number] for number in row if number != PADDING) for row in numbers]


@lru_cache(maxsize=65536)
def _pieces(word: str, buckets: int) -> tuple[int, ...]:
    """Buckets, from 1, of the groups of three to five letters of a word with its ends marked."""
    marked = f"<{word}>"
    groups = [marked[i : i + length] for length in (3, 4, 5) for i in range(len(marked) - length + 1)]
    return tuple(zlib.crc32(group.encode()) % buckets + 1 for group in groups[:MAX_PIECES])
