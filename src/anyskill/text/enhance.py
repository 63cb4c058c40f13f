"""Rewriting vague sentences into limb language, so that one picture can show what they mean (paper 4.3, poster).

The poster's rules: one specific pose; every verb and noun tied to a limb; fluent, concise, unambiguous; iterated.
"""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from anyskill.text import words
from anyskill.text.errors import TextError
from anyskill.text.language_model import LanguageModel
from anyskill.text.phrasebook import Phrasebook, phrasebook

LONGEST = 1000  # characters of a sentence that can still be one pose
MOST_WORDS = 30  # of a concise description

RULES = """Rewrite a sentence about a person so that one still picture of a body without face or fingers can show it.
1. Describe one specific pose, the moment that shows the action best.
2. Tie every verb and noun to a limb (arm, hand, leg, foot, knee, elbow, head, torso) and say where it is.
3. Be fluent, concise (at most 20 words) and unambiguous; no names, feelings, objects or reasons.
4. Keep "left" and "right" exactly as the sentence has them.
Example: "wave hi" becomes "raise the right hand beside the head with the elbow bent".
Example: "kick" becomes "raise the right leg straight forward to hip height with both elbows bent".
"""


@dataclass(frozen=True)
class Enhanced:
    """A sentence, what became of it, and why."""

    original: str
    text: str
    changed: bool
    why: str


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
    if words.is_limb_language(text) and not named:
        return Enhanced(sentence, text, False, "it already says where the limbs are")
    match = book.find(text, encode)
    if match is None:
        near = book.nearest(text)
        hint = f'; the nearest known action is "{near}"' if near else ""
        return Enhanced(sentence, text, False, f"the phrasebook does not know it{hint}: say where each limb is")
    description = _on_the_side_of(text, match.description)
    if description is None:
        return Enhanced(sentence, text, False, f"{match.why}, but its sides do not fit: say where each limb is")
    return Enhanced(sentence, description, True, match.why)


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
            (``vision_language.similarity.separability``). Without it the first good candidate of the last round wins.
        rounds: How often the model is asked; from the second time on it sees the best so far.
        candidates: How many sentences it is to give each time.

    Raises:
        TextError: If the sentence is empty or too long, or no answer obeys the rules.
    """
    text = checked(sentence)
    best: str | None = None
    best_score = 0.0
    refused = "nothing"
    for _ in range(rounds):
        answer = model.complete(_prompt(text, candidates, best))
        offered = [line for line in map(_bare, answer.splitlines()) if line]
        good = [line for line in offered if fault(text, line) is None]
        if not good:
            refused = f'"{offered[0][:80]}" ({fault(text, offered[0])})' if offered else "an empty answer"
            continue
        scores = score(good) if score else [float(len(good) - place) for place in range(len(good))]
        top = max(range(len(good)), key=scores.__getitem__)
        if best is None or score is None or scores[top] > best_score:
            best, best_score = good[top], scores[top]
    if best is None:
        raise TextError(f"{model.name} gave {refused} for {text!r}; say yourself where each limb is.")
    how = f", best of its candidates (separability {best_score:.2f})" if score else ""
    return Enhanced(sentence, best, best != text, f"rewritten by {model.name}{how}")


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
