"""WordNet as a collection of everyday sentences: its words, what they mean, and examples of how they are used."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from anyskill.vision_language.model import VisionLanguageError

_FILES: Mapping[str, Sequence[int]] = {"data.verb": range(29, 44), "data.noun": (4, 18)}
"""Files, and the sections taken (lexnames(5)): all verbs, and nouns for acts and for persons."""


def read_wordnet(folder: Path) -> Iterator[str]:
    """Words, definitions and examples, in lower case; proper names are left out.

    Args:
        folder: Where ``data.verb`` and ``data.noun`` are, as Debian's ``wordnet-base`` has them in /usr/share/wordnet.

    Raises:
        VisionLanguageError: If they are not there, or are other files (wndb(5)).
    """
    for name, sections in _FILES.items():
        path = folder / name
        try:
            lines = path.read_text("utf-8").splitlines()
            yield from (text for line in lines if not line.startswith("  ") for text in _texts(line, sections))
        except (OSError, UnicodeDecodeError, ValueError, IndexError) as error:
            raise VisionLanguageError(f"{path} cannot be read as a file of WordNet ({error}).") from error


def _texts(line: str, sections: Sequence[int]) -> list[str]:
    """What a line says: of one meaning, its words, its definition and its examples."""
    head, _, gloss = line.partition(" | ")
    _, section, _, count, *rest = head.split()
    words = [word.replace("_", " ") for word in rest[: 2 * int(count, 16) : 2]]
    if int(section) not in sections or any(word != word.lower() for word in words):
        return []
    definition, *examples = re.split(r"; (?=\")", gloss.strip())
    return [*words, definition, *(example.strip('" ').lower() for example in examples)]
