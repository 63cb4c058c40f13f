"""Just enough English to inflect the verbs of a wording.

A wording begins with a verb; further verbs to inflect are marked by a star: ``bend down and *touch one's toes``.
"""

import re
from typing import Literal

VerbForm = Literal["imperative", "gerund", "third"]

_SHORT = re.compile(r"^(?:qu|[^aeiou])*[aeiou][bdgklmnprt]$")  # one vowel, one consonant: sit, step, squat
_THIRD = {"be": "is", "have": "has"}
_MARKED = re.compile(r"\*(\w+)")
_PROGRESSIVE = re.compile(r"^be (?=\w+ing\b)")


def inflect(wording: str, form: VerbForm) -> str:
    """A wording as an order (raise …), a participle (raising …) or a statement about somebody (raises …)."""
    if form == "gerund" and _PROGRESSIVE.match(wording):
        return _PROGRESSIVE.sub("", wording)
    if form == "imperative":
        return wording.replace("*", "")
    verb, _, rest = wording.partition(" ")
    turn = gerund if form == "gerund" else third_person
    rest = _MARKED.sub(lambda found: turn(found[1]), rest)
    return f"{turn(verb)} {rest}".rstrip()


def gerund(verb: str) -> str:
    """Raise → raising, sit → sitting, lie → lying."""
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")) and verb != "be":
        return verb[:-1] + "ing"
    return verb + (verb[-1] if _SHORT.match(verb) else "") + "ing"


def third_person(verb: str) -> str:
    """Raise → raises, push → pushes, carry → carries."""
    if verb in _THIRD:
        return _THIRD[verb]
    if verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        return verb + "es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"
