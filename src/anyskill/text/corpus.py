"""Collections of sentences about motion: ours, HumanML3D and BABEL as users download them, and lists made from them."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from anyskill.files import write_atomically
from anyskill.text import words
from anyskill.text.enhance import Enhanced
from anyskill.text.errors import TextError

BABEL_FILES = ("train", "val", "extra_train", "extra_val")


@dataclass(frozen=True)
class Sentence:
    """A sentence and where it comes from."""

    text: str
    source: str
    licence: str
    id: str


def load_sentences(folder: Path) -> list[Sentence]:
    """All sentences of the ``.jsonl`` files of a folder: one object a line with text, source, licence and id.

    A folder that does not exist holds none: the package works without a corpus.

    Raises:
        TextError: If a line is not such an object; the message names file and line.
    """
    return [sentence for path in sorted(folder.glob("*.jsonl")) for sentence in _read_jsonl(path)]


def read_humanml3d(folder: Path) -> list[Sentence]:
    """HumanML3D's captions: ``texts/*.txt``, lines of ``caption#tagged words#start#end``.

    Raises:
        TextError: If the folder has no such files, or a line no caption.
    """
    files = sorted((folder / "texts").glob("*.txt"))
    if not files:
        raise TextError(f"{folder} has no texts/*.txt; give the folder of HumanML3D, with its texts unpacked.")
    return [
        Sentence(caption, "HumanML3D", "HumanML3D terms", f"{path.stem}/{number}")
        for path in files
        for number, line in enumerate(_text_of(path).splitlines(), 1)
        if (caption := " ".join(line.split("#")[0].split()))
    ]


def read_babel(folder: Path) -> list[Sentence]:
    """BABEL's labels: ``train.json``, ``val.json`` and their extras, of whole sequences and of their parts.

    Raises:
        TextError: If the folder has none of them, or one is not in BABEL's form.
    """
    files = [path for name in BABEL_FILES if (path := folder / f"{name}.json").exists()]
    if not files:
        raise TextError(f"{folder} has no train.json or val.json; give the folder of BABEL.")
    return [sentence for path in files for sentence in _read_babel_file(path)]


def read_corpus(folder: Path) -> list[Sentence]:
    """The sentences of a folder of HumanML3D, of BABEL, or of ``.jsonl`` files: whichever it holds.

    Raises:
        TextError: If it holds none of them, or a file is broken.
    """
    if (folder / "texts").is_dir():
        return read_humanml3d(folder)
    if any(folder.glob("*.jsonl")):
        return load_sentences(folder)
    if any((folder / f"{name}.json").exists() for name in BABEL_FILES):
        return read_babel(folder)
    raise TextError(
        f"{folder} holds no sentences; give the folder of HumanML3D (with texts/), of BABEL (with train.json or "
        "val.json), or one with .jsonl files."
    )


@dataclass(frozen=True)
class Entry:
    """A sentence of an enhanced list; ``weight`` says how many sentences of the corpus became it."""

    text: str
    weight: int
    sources: tuple[str, ...]  # "source/id" of each
    originals: tuple[str, ...]


def enhanced_list(sentences: Iterable[Sentence], enhance: Callable[[str], Enhanced]) -> list[Entry]:
    """A corpus in limb language, each text once, as the paper's list of 1 896; what cannot be enhanced is left out.

    Texts count as one if they differ only in case, spaces and punctuation. The most frequent comes first.
    """
    groups: dict[tuple[str, ...], tuple[str, list[Sentence]]] = {}
    known: dict[tuple[str, ...], Enhanced | None] = {}
    for sentence in sentences:
        key = tuple(words.words(sentence.text))
        if key not in known:
            known[key] = _enhanced(sentence.text, enhance)
        if result := known[key]:
            groups.setdefault(tuple(words.words(result.text)), (result.text, []))[1].append(sentence)
    entries = [
        Entry(
            text,
            len(members),
            tuple(f"{member.source}/{member.id}" for member in members),
            tuple(dict.fromkeys(member.text for member in members)),
        )
        for text, members in groups.values()
    ]
    return sorted(entries, key=lambda entry: (-entry.weight, entry.text))


def write_list(entries: Iterable[Entry], path: Path) -> None:
    """Write a list as YAML: ``texts``, each with text, weight (they sum to 1), originals and sources."""
    entries = list(entries)
    total = sum(entry.weight for entry in entries) or 1
    rows = [
        {
            "text": entry.text,
            "weight": round(entry.weight / total, 8),
            "originals": list(entry.originals),
            "sources": list(entry.sources),
        }
        for entry in entries
    ]
    with write_atomically(path) as file:
        file.write(yaml.safe_dump({"texts": rows}, sort_keys=False, allow_unicode=True, width=120).encode())


def _enhanced(text: str, enhance: Callable[[str], Enhanced]) -> Enhanced | None:
    try:
        result = enhance(text)
    except TextError:
        return None
    return result if words.is_limb_language(result.text) else None


def _read_jsonl(path: Path) -> Iterator[Sentence]:
    for number, line in enumerate(_text_of(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield Sentence(*(_string(row[name]) for name in ("text", "source", "licence", "id")))
        except (ValueError, KeyError, TypeError) as error:
            raise TextError(
                f"{path}, line {number}: not an object with text, source, licence and id ({error})."
            ) from error


def _read_babel_file(path: Path) -> Iterator[Sentence]:
    try:
        for sequence, row in json.loads(_text_of(path)).items():
            for kind in ("seq_ann", "frame_ann", "seq_anns", "frame_anns"):
                annotations: Any = row.get(kind) or []
                for annotation in annotations if isinstance(annotations, list) else [annotations]:
                    for number, label in enumerate(annotation["labels"]):
                        text = " ".join(_string(label["raw_label"] or label["proc_label"]).split())
                        if text and text != "transition":
                            yield Sentence(text, "BABEL", "BABEL terms", f"{sequence}/{kind}/{number}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TextError(f"{path} is not in BABEL's form ({type(error).__name__}: {error}).") from error


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TextError(f"{path} cannot be read: {error}.") from error
