"""Suites: files of sentences with their tests; the format is explained at the top of ``assets/benchmark.yaml``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
import yaml

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.evaluate.errors import EvaluationError
from anyskill.evaluate.tests import Test, is_number, read_test
from anyskill.evaluate.track import Track
from anyskill.skill.request import slug

_KEYS = ("text", "group", "hold", "test")


@dataclass(frozen=True)
class Sentence:
    """What is to be done, and how one can see that it was."""

    text: str
    group: str
    hold: float
    """Seconds for which the test must hold without a break."""
    expression: Any = field(repr=False)
    """The test as it is written in the file."""

    @cached_property
    def test(self) -> Test:
        """The test, ready to be applied."""
        return read_test(self.expression)

    @property
    def fixed(self) -> str:
        """The test and for how long it must hold, as JSON: results under another are results of something else."""
        return json.dumps({"hold": self.hold, "test": self.expression})


def load_suite(path: Path | None = None, only: str | None = None) -> list[Sentence]:
    """The sentences of a suite.

    Args:
        path: A file; None is the benchmark that comes with the package.
        only: A group; None takes all.

    Raises:
        EvaluationError: The file cannot be read, a sentence in it is wrong, or there is no such group.
    """
    source = files("anyskill") / "assets" / "benchmark.yaml" if path is None else path
    try:
        content = yaml.safe_load(source.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"{source} cannot be read ({error}).") from None
    except yaml.YAMLError as error:
        raise EvaluationError(f"{source} is not valid YAML ({' '.join(str(error).split())}).") from None
    if not isinstance(content, Mapping) or not isinstance(content.get("sentences"), list) or not content["sentences"]:
        raise EvaluationError(f"{source} must hold a list named sentences.")
    suite = [_read(entry, f"{source}, sentence {number}") for number, entry in enumerate(content["sentences"], 1)]
    slugs = [slug(sentence.text) for sentence in suite]
    if twice := next((name for name in slugs if slugs.count(name) > 1), None):
        raise EvaluationError(f"{source} has two sentences that would share the folder {twice}; change or drop one.")
    groups = list(dict.fromkeys(sentence.group for sentence in suite))
    if only is not None and only not in groups:
        raise EvaluationError(f"{source} has no group {only}; there are {', '.join(groups)}.")
    return [sentence for sentence in suite if only in (None, sentence.group)]


def _read(entry: Any, where: str) -> Sentence:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("text"), str) or not entry["text"].strip():
        raise EvaluationError(f"{where} needs a text.")
    where += f" ({entry['text']})"
    for key in entry:
        if key not in _KEYS:
            raise EvaluationError(f"{where}: {key} is not known; a sentence has {', '.join(_KEYS)}.")
    group, hold = entry.get("group"), entry.get("hold", 0.0)
    if not isinstance(group, str) or not group:
        raise EvaluationError(f"{where} needs a group, such as arms.")
    if not is_number(hold) or hold < 0:
        raise EvaluationError(f"{where}: hold is {hold!r}; it must be a number of seconds.")
    if "test" not in entry:
        raise EvaluationError(f"{where} needs a test.")
    sentence = Sentence(entry["text"], group, float(hold), entry["test"])
    try:
        sentence.test(_at_rest())  # words that a condition does not know show when it is applied
    except EvaluationError as error:
        raise EvaluationError(f"{where}: {error}") from None
    return sentence


def _at_rest() -> Track:
    """Two frames of a body that stands still."""
    skeleton = skeleton_of(HUMANOID)
    root = torch.tensor([0.0, 0.0, HUMANOID.rest_height]).expand(2, 1, 3)
    return Track(BodyState.at_rest(skeleton, root, rotation.identity(2, 1, skeleton.num_bodies)), skeleton)
