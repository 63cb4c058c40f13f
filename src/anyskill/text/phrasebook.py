"""The phrasebook: everyday words for actions, and what each looks like limb by limb."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path

import torch
import yaml
from jaxtyping import Float
from torch import Tensor

from anyskill.text import words
from anyskill.text.errors import TextError

BOOK = Path(__file__).parents[1] / "assets" / "enhance.yaml"
SAYINGS = BOOK.with_name("sayings.yaml")
SPELLING = 0.84  # how alike two words must be to count as one, mistyped
GENERIC = frozenset({"danc", "stanc", "exercis"})  # stems that only say what kind of thing an action is
KIN = ({"arm", "hand"}, {"leg", "foot", "knee"})  # who says one limb of these means the others too
MEANING = 0.9  # how alike two sentences must be to mean the same action, as a cosine of BodyCLIP's features


@dataclass(frozen=True)
class Match:
    """An entry that a sentence means, and how it was found."""

    name: str
    description: str
    why: str


@dataclass(frozen=True)
class Phrasebook:
    """Names of actions and their descriptions; a name never says a side, a description means the right one."""

    descriptions: dict[str, str]
    sayings: dict[str, str] = field(default_factory=dict)
    """Whole sentences and their descriptions, each with the sides that it says or means."""

    @classmethod
    def load(cls, path: Path = BOOK) -> "Phrasebook":
        """Read a YAML mapping from "name | other name" to a description.

        Raises:
            TextError: If it is not that.
        """
        return cls({name.strip(): text for names, text in _read(path).items() for name in names.split("|")})

    @property
    def entries(self) -> dict[str, str]:
        """Sayings and names."""
        return self.sayings | self.descriptions

    def saying(self, sentence: str) -> Match | None:
        """The saying that a sentence is, word for word but for endings."""
        name = _said_in(self._sayings_by_stems, sentence)
        return Match(name, self.sayings[name], f'read as "{name}"') if name else None

    def exact(self, sentence: str) -> Match | None:
        """The entry whose name a sentence is, word for word but for endings."""
        name = _said_in(self._by_all_stems, sentence)
        return self._match(name, "") if name else None

    @cached_property
    def _sayings_by_stems(self) -> dict[tuple[str, ...], str]:
        return _stemmed(self.sayings)

    @cached_property
    def _by_all_stems(self) -> dict[tuple[str, ...], str]:
        return _stemmed(self.descriptions)

    @cached_property
    def _by_stems(self) -> dict[tuple[str, ...], str]:
        """Names by the stems that matter, in alphabetical order; of several alike the one without fillers."""
        table: dict[tuple[str, ...], str] = {}
        for name in sorted(self.descriptions, key=lambda name: len(words.words(name)) - len(words.stems(name))):
            table.setdefault(tuple(sorted(words.stems(name))), name)
        return table

    @cached_property
    def _known_stems(self) -> list[str]:
        return sorted({stem for key in self._by_stems for stem in key})

    def find(self, sentence: str, encode: Callable[[list[str]], Float[Tensor, "n d"]] | None = None) -> Match | None:
        """The entry a sentence means, or None: nothing is guessed.

        First by words, in any form and order, mistyped a little. A longer sentence matches when it begins with a name
        and what follows is said by the description too, or is no more than what the action is done to; what it is
        likened to counts first. Then, given a sentence encoder (unit features), by meaning.
        """
        if words.has_negation(sentence):
            return None
        if match := self.exact(sentence):
            return match
        simile = sentence.lower().partition(" like ")[2]
        for part in (simile, sentence) if simile else (sentence,):
            found = [stem for stem in words.stems(part) if stem not in ("left", "right")]
            if match := self._by_words(found, at_most=0 if words.has_conjunction(part) else 2):
                return match
        return self._by_meaning(sentence, encode) if encode else None

    def alike(self, sentence: str) -> list[Match]:
        """Entries that share words with a sentence, to suggest: the most alike first, each description once."""
        found = set(words.stems(sentence))
        overlaps = {
            name: len(found & set(key)) / len(found | set(key))
            for key, name in self._by_stems.items()
            if found & set(key)
        }
        by_likeness = sorted(overlaps, key=overlaps.__getitem__, reverse=True)
        once = {self.descriptions[name]: name for name in reversed(by_likeness)}
        return [self._match(name, "") for name in by_likeness if once[self.descriptions[name]] == name]

    def _by_words(self, found: list[str], at_most: int) -> Match | None:
        for spelt in (found, [self._respelt(stem) for stem in found]):
            if name := self._by_stems.get(tuple(sorted(spelt))):
                return self._match(name, "" if spelt == found else " (taking the spelling for a slip)")
            for length in range(len(spelt) - 1, 0, -1):
                name = self._by_stems.get(tuple(sorted(spelt[:length])))
                if name and self._is_harmless(spelt[length:], name, at_most):
                    rest = ", leaving the rest of the sentence to the picture"
                    return self._match(name, rest)
        return None

    def _is_harmless(self, rest: list[str], name: str, at_most: int) -> bool:
        """Whether words after a name ask for nothing else: the description says them, or they are a thing or two."""
        said = set(words.stems(self.descriptions[name], fillers=True))
        said |= GENERIC.union(*(limbs for limbs in KIN if limbs & said))
        new = [stem for stem in rest if stem not in said]
        if any(words.is_limb(stem) or words.is_direction(stem) or (stem,) in self._by_stems for stem in new):
            return False
        return len(new) <= at_most

    def _respelt(self, stem: str) -> str:
        if len(stem) < 5 or stem in self._known_stems:
            return stem
        alike = [known for known in self._known_stems if known[0] == stem[0]]
        return next(iter(difflib.get_close_matches(stem, alike, n=1, cutoff=SPELLING)), stem)

    def _by_meaning(self, sentence: str, encode: Callable[[list[str]], Float[Tensor, "n d"]]) -> Match | None:
        names = list(self.descriptions)
        features = encode([sentence, *names])
        likeness, index = torch.max(features[1:] @ features[0], dim=0)
        if likeness < MEANING:
            return None
        return self._match(names[int(index)], f" by meaning (cosine {likeness:.2f})")

    def _match(self, name: str, how: str) -> Match:
        return Match(name, self.descriptions[name], f'read as "{name}"{how}')


@lru_cache(maxsize=1)
def phrasebook() -> Phrasebook:
    """The phrasebook that comes with the package, and its sayings."""
    sayings = {saying.strip(): pose for pose, said in _read(SAYINGS).items() for saying in said.split("|")}
    return replace(Phrasebook.load(), sayings=sayings)


def _stemmed(names: Iterable[str]) -> dict[tuple[str, ...], str]:
    return {tuple(words.stems(name, fillers=True)): name for name in names}


def _said_in(table: Mapping[tuple[str, ...], str], sentence: str) -> str | None:
    return table.get(tuple(words.stems(sentence, fillers=True)))


def _read(path: Path) -> dict[str, str]:
    """A YAML mapping of texts.

    Raises:
        TextError: If it is not that.
    """
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TextError(f"the phrasebook {path} cannot be read: {error}.") from error
    if not isinstance(entries, dict) or not all(isinstance(value, str) for value in entries.values()):
        raise TextError(f"the phrasebook {path} must map names to one description each.")
    return {str(key): value for key, value in entries.items()}
