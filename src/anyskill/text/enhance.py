"""Rewriting vague sentences into limb language, so that one picture can show what they mean (paper 4.3, poster).

The poster's rules: one specific pose; every verb and noun tied to a limb; fluent, concise, unambiguous; iterated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from anyskill.text import words
from anyskill.text.errors import TextError
from anyskill.text.language_model import LanguageModel
from anyskill.text.phrasebook import Match, Phrasebook, phrasebook

LONGEST = 1000  # characters of a sentence that can still be one pose
MOST_WORDS = 30  # of a concise description
SUGGESTIONS = 3  # other actions of the phrasebook that a sentence may have meant

RULES = """Rewrite a sentence about a person so that one still picture of a body without face or fingers can show it.
1. Describe one specific pose, the moment that shows the action best.
2. Tie every verb and noun to a limb (arm, hand, leg, foot, knee, elbow, head, torso) and say where it is.
3. Be fluent, concise (at most 20 words) and unambiguous; no names, feelings, objects or reasons.
4. Keep "left" and "right" exactly as the sentence has them.
Example: "wave hi" becomes "raise the right hand beside the head with the elbow bent".
Example: "kick" becomes "raise the right leg straight forward to hip height with both elbows bent".
"""


@dataclass(frozen=True)
class Alternative:
    """Another description that a sentence may become."""

    text: str
    why: str


@dataclass(frozen=True)
class Enhanced:
    """A sentence, what became of it, and why."""

    original: str
    text: str
    changed: bool
    why: str
    alternatives: tuple[Alternative, ...] = ()
    """The best first."""


def enhance(
    sentence: str,
    book: Phrasebook | None = None,
    encode: Callable[[list[str]], Float[Tensor, "n d"]] | None = None,
) -> Enhanced:
    """Say a sentence in limb language by the phrasebook; what is not known comes back as it was, with a note.

    Args:
        sentence: What somebody typed.
        book: The phrasebook; the package's own by default.
        encode: A sentence encoder (unit features), for words that the book does not have: found by meaning.

    Raises:
        TextError: If the sentence is empty, or longer than a sentence can be.
    """
    text = checked(sentence)
    book = book or phrasebook()
    named = None if words.sides(text) else book.exact(text)
    if not named and (said := book.saying(text)):
        return Enhanced(sentence, said.description, True, said.why)
    if words.is_limb_language(text) and not named:
        return Enhanced(sentence, text, False, "it already says where the limbs are")
    match, alike = book.find(text, encode), book.alike(text)
    if match is None:
        hint = f'; the nearest known action is "{alike[0].name}"' if alike else ""
        why = f"the phrasebook does not know it{hint}: say where each limb is"
        return Enhanced(sentence, text, False, why, _suggestions(text, alike))
    others = _suggestions(text, [other for other in alike if other.description != match.description])
    description = _on_the_side_of(text, match.description)
    if description is None:
        return Enhanced(sentence, text, False, f"{match.why}, but its sides do not fit: say where each limb is", others)
    return Enhanced(sentence, description, True, match.why, others)


def enhance_with(
    sentence: str,
    model: LanguageModel,
    score: Callable[[list[str]], list[float]] | None = None,
    *,
    rounds: int = 2,
    candidates: int = 4,
) -> Enhanced:
    """Let a language model rewrite a sentence, again and again, and keep the best candidate that obeys the rules.

    Args:
        sentence: What somebody typed.
        model: What answers the prompt.
        score: Higher is better; how separable a sentence is to the image-text model
            (``vision_language.pose_bank.separable``). Without it the first good candidate of the last round wins.
        rounds: How often the model is asked; from the second time on it sees the best so far.
        candidates: How many sentences it is to give each time.

    Raises:
        TextError: If the sentence is empty or too long, or no answer obeys the rules.
    """
    text = checked(sentence)
    found: dict[str, float] = {}
    refused = "nothing"
    for number in range(rounds):
        best = max(found, key=found.__getitem__, default=None)
        answer = model.complete(_prompt(text, candidates, best))
        offered = list(dict.fromkeys(line for line in map(_bare, answer.splitlines()) if line))
        good = [line for line in offered if fault(text, line) is None]
        if good:
            scores = score(good) if score else [number - place / len(good) for place in range(len(good))]
            found |= zip(good, scores, strict=True)
        else:
            refused = f'"{offered[0][:80]}" ({fault(text, offered[0])})' if offered else "an empty answer"
    if not found:
        raise TextError(f"{model.name} gave {refused} for {text!r}; say yourself where each limb is.")
    best, *others = sorted(found, key=found.__getitem__, reverse=True)
    measured = {line: f"separability {found[line]:.2f}" if score else "" for line in found}
    how = f", best of its candidates ({measured[best]})" if score else ""
    alternatives = tuple(Alternative(line, measured[line]) for line in others)
    return Enhanced(sentence, best, best != text, f"rewritten by {model.name}{how}", alternatives)


def checked(sentence: str) -> str:
    """The sentence without surrounding or double spaces.

    Raises:
        TextError: If nothing is left, or too much.
    """
    text = " ".join(sentence.split())
    if not words.words(text):
        raise TextError('the sentence is empty; say what the body is to do, as in "raise both arms".')
    if len(text) > LONGEST:
        raise TextError(f"the sentence has {len(text)} characters; describe one pose in at most {LONGEST}.")
    return text


def fault(original: str, candidate: str) -> str | None:
    """Why a rewriting breaks the rules, or None if it does not."""
    if not words.is_limb_language(candidate):
        return "it names no limb and where that is"
    if len(words.words(candidate)) > MOST_WORDS:
        return f"it has more than {MOST_WORDS} words"
    if words.has_negation(candidate):
        return "it says what is not to be done"
    if lost := words.sided_limbs(original) - words.sided_limbs(candidate):
        return "it loses the " + " and the ".join(" ".join(limb) for limb in sorted(lost))
    if set(words.sides(original)) - set(words.sides(candidate)):
        return "it loses a side"
    return None


def _suggestions(sentence: str, matches: Sequence[Match]) -> tuple[Alternative, ...]:
    """The first few that fit the sentence's sides."""
    fitting = ((_on_the_side_of(sentence, match.description), match.why) for match in matches)
    return tuple(Alternative(text, why) for text, why in fitting if text is not None)[:SUGGESTIONS]


def _on_the_side_of(sentence: str, description: str) -> str | None:
    """A description, mirrored if the sentence asks for it; None where left and right cannot both be kept."""
    limbs, free = words.sided_limbs(sentence), set(words.free_sides(sentence))
    for text in (description, words.mirrored(description)):
        if limbs <= words.sided_limbs(text) and free <= set(words.free_sides(text)):
            return text
    return None


def _prompt(text: str, candidates: int, best: str | None) -> str:
    improve = f'The best so far is "{best}"; give clearer ones, easier to tell from other poses.\n' if best else ""
    return (
        f'{RULES}\nSentence: "{text}"\n{improve}'
        f"Answer with {candidates} different rewritings, one a line, and nothing else."
    )


def _bare(line: str) -> str:
    """A line without bullets, numbers, quotes and a full stop."""
    return line.strip().lstrip("-*•0123456789.) ").strip("\"'“”` ").rstrip(".").strip("\"'“”` ")
