"""From what a person typed to what is encoded: the sentence, its limb-by-limb form, and what the scorer knows of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from anyskill.skill.errors import SkillError
from anyskill.skill.summary import Confidence
from anyskill.text import words
from anyskill.text.enhance import checked, enhance
from anyskill.vision_language.bodyclip.model import BodyClip
from anyskill.vision_language.model import ImageTextModel

if TYPE_CHECKING:
    from anyskill.skill.skill import Skill

LOW = frozenset(words.stems("lie crawl plank pushup ups sleep faint fall collapse somersault prone supine"))
"""Stems of sentences whose bodies are to be down to the neck, or nearly; "ups" are those of push-ups and sit-ups."""


@dataclass(frozen=True)
class Request:
    """A sentence that is to become a skill."""

    text: str
    """As the person typed it."""
    description: str
    """What is encoded: the same, or its limb-by-limb form."""
    why: str
    """How the description came about."""
    confidence: Confidence | None = None
    """What the scorer knows of these words; None where it cannot tell."""

    @property
    def low(self) -> bool:
        """Whether lying is what is asked for, so that it is no failure."""
        return asks_to_lie(f"{self.text} {self.description}")


def asks_to_lie(text: str) -> bool:
    """Whether a sentence wants a body down to the neck, or nearly."""
    return not LOW.isdisjoint(words.stems(text))


def understand(text: str, model: ImageTextModel, *, rewrite: bool = True) -> Request:
    """Read a sentence as the scorer will.

    The phrasebook says it limb by limb, unless the scorer knows these words themselves: BodyCLIP has met the phrasebook
    as it learnt to read, and of an everyday sentence it knows it finds the pose more often than of its rewriting.

    A sentence that the scorer hardly knows is a warning in its ``confidence``, no error: it may still turn out well.

    Args:
        text: As typed.
        model: The scorer.
        rewrite: Whether the phrasebook may say it limb by limb.

    Raises:
        TextError: The sentence is empty, or longer than a sentence can be.
    """
    request = Request(text, checked(text), "as it was typed")
    if rewrite and isinstance(model, BodyClip) and model.familiarity([text])[0].verdict != "hardly":
        if (decided := words.decided(request.description)) != request.description:
            request = replace(request, description=decided, why="of each limb there are two")
    elif rewrite:
        enhanced = enhance(text)
        request = replace(request, description=enhanced.text, why=enhanced.why)
    if isinstance(model, BodyClip):
        known = model.familiarity([request.description])[0]
        request = replace(request, confidence=Confidence(known.verdict, str(known)))
    return request


def tell(skill: "Skill", text: str, load: Callable[[], ImageTextModel], *, rewrite: bool = True) -> "Skill":
    """A skill of several sentences under one as a person types it: one of its own, or any other.

    Args:
        skill: It has learnt several sentences.
        text: As typed.
        load: Gives what encoded its sentences; called for other ones only.
        rewrite: As of ``understand``.

    Raises:
        SkillError: It has learnt one sentence only.
        TextError: The sentence is empty, or longer than a sentence can be.
    """
    if not skill.sentences or any(text == sentence.text for sentence in skill.sentences):
        return skill.under(text)
    model = load()
    return skill.under(understand(text, model, rewrite=rewrite).description, model)


def slug(text: str) -> str:
    """A name for a folder: ``Raise both arms!`` becomes ``raise-both-arms``."""
    return "-".join(words.words(text))[:60].strip("-") or "skill"


def read_texts(path: Path) -> tuple[str, ...]:
    """Sentences from a YAML file that is a list of them.

    Raises:
        SkillError: It cannot be read, or is something else.
    """
    try:
        texts = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SkillError(f"{path} cannot be read ({' '.join(str(error).split())}).") from None
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise SkillError(f'{path} must be a list of sentences, one a line, each like: "- raise both arms".')
    return tuple(texts)
