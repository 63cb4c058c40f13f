"""Sentences as words: word stems, sides, limbs, directions."""

import itertools
import re
from collections.abc import Callable


def _stated(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


FILLERS = _stated("""
    a an the this that some do does doing did be is are am being perform performing make making let lets please try
    trying start starting begin beginning keep keeping to and then with of in on at for it its his her their my your own
    person someone somebody man woman he she they people human humanoid character figure body agent
    like as pretend pretending pose posing position gesture gesturing action move movement motion way if were
    slowly quickly fast slow gently happily sadly quietly loudly carefully now again very really just once twice
    repeatedly around there go goes going play plays playing practice practise have has having
""")
"""Words that change nothing about which pose is meant."""

NEGATIONS = _stated("not no never without dont doesnt cannot avoid quit refrain neither nor")

LIMBS = _stated("""
    arm hand leg foot knee elbow torso head shoulder hip wrist ankle palm thigh shin heel toe chest waist belly
    stomach neck finger fist calf forearm chin spine trunk
""")

DIRECTIONS = _stated("""
    up down upward downward forward back backward sideways overhead above below under over behind before front high
    low higher lower in out off away outward inward inside raise lift bend fold straight straighten stretch extend
    spread cross together apart between against beside level horizontal vertical wide across through tilt lean retreat
    side
""")

IRREGULAR = {
    "arms": "arm", "feet": "foot", "stood": "stand", "sat": "sit", "ran": "run", "threw": "throw", "thrown": "throw",
    "knelt": "kneel", "swung": "swing", "swam": "swim", "bent": "bend", "caught": "catch", "held": "hold", "lay": "lie",
    "lying": "lie", "lain": "lie", "fell": "fall", "fallen": "fall", "rode": "ride", "drove": "drive", "drank": "drink",
    "ate": "eat", "gave": "give", "took": "take", "wrote": "write", "flew": "fly", "fought": "fight", "wept": "weep",
    "teeth": "tooth", "crept": "creep", "slept": "sleep", "hung": "hang", "stuck": "stick", "dying": "die",
    "foward": "forward", "forwards": "forward", "backwards": "backward", "upwards": "upward", "downwards": "downward",
}  # fmt: skip


_PAIRED = {
    "arm": "arms", "hand": "hands", "leg": "legs", "foot": "feet", "knee": "knees", "elbow": "elbows", "fist": "fists",
    "heel": "heels",
}  # fmt: skip
"""Limbs of which there is a right one and a left one, and what two of them are called."""


def words(text: str) -> list[str]:
    """Lower-case words of a sentence; apostrophes go, hyphens part."""
    return re.findall(r"\w+", text.lower().replace("'", "").replace("’", ""))


def stem(word: str) -> str:
    """A crude English stem: endings of number, tense and person go, so that "waving", "waves" and "wave" meet."""
    word = IRREGULAR.get(word, word)
    for ending, least in (("ing", 3), ("ied", 2), ("ies", 2), ("ed", 3), ("es", 3), ("s", 3)):
        if word.endswith(ending) and len(word) - len(ending) >= least and not word.endswith("ss"):
            word = word.removesuffix(ending)
            if ending in ("ied", "ies"):
                word += "y"
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]  # "hugging" → "hugg" → "hug"
    return word.removesuffix("e") if len(word) > 3 else word


_LIMB_STEMS = frozenset(stem(word) for word in LIMBS)
_DIRECTION_STEMS = frozenset(stem(word) for word in DIRECTIONS)


def stems(text: str, *, fillers: bool = False) -> list[str]:
    """Stems of the words that matter; all of them if nothing else is left, or if ``fillers`` are wanted."""
    every = words(text)
    matter = [word for word in every if fillers or word not in FILLERS]
    return [stem(word) for word in matter or every]


def sides(text: str) -> list[str]:
    """Every "left" and "right" of a sentence, in order; not the right of "right angle"."""
    return re.findall(r"\b(left|right)\b(?!\s+angles?)", text.lower())


def sided_limbs(text: str) -> set[tuple[str, str]]:
    """Limbs named with their side, as in ("left", "leg")."""
    every = [stem(word) for word in words(text)]
    return {(a, b) for a, b in itertools.pairwise(every) if a in ("left", "right") and b in _LIMB_STEMS}


def free_sides(text: str) -> list[str]:
    """The sides of a sentence that belong to no limb, as in "to the left"."""
    every = [stem(word) for word in words(text)]
    return [
        a
        for a, b in zip(every, [*every[1:], ""], strict=True)
        if a in ("left", "right") and b not in _LIMB_STEMS | {"angl"}
    ]


def decided(text: str) -> str:
    """The sentence as a body takes it, which has two of each: "two hands" are both, "one hand" is the right one."""
    text = re.sub(rf"\b([Tt])wo (?=({'|'.join(_PAIRED.values())})\b)", _cased("both"), text)
    return text if sides(text) else re.sub(rf"\b([Oo])ne (?=({'|'.join(_PAIRED)})\b)", _cased("the right"), text)


def _cased(phrase: str) -> Callable[[re.Match[str]], str]:
    """What takes a match's place, and a space; with a capital where the match's first letter is one."""
    return lambda match: (phrase.capitalize() if match[1].isupper() else phrase) + " "


def mirrored(text: str) -> str:
    """The sentence with left and right exchanged, but for right angles."""

    def other(match: re.Match[str]) -> str:
        return {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}[match[0]]

    return re.sub(r"\b(left|right|Left|Right)\b(?!\s+angles?)", other, text)


def is_limb(a_stem: str) -> bool:
    """Whether a word's stem is that of a part of the body."""
    return a_stem in _LIMB_STEMS


def is_direction(a_stem: str) -> bool:
    """Whether a word's stem says where something goes."""
    return a_stem in _DIRECTION_STEMS


def is_limb_language(text: str) -> bool:
    """Whether a sentence says where a limb goes: it names one, and a direction or a way to hold it."""
    found = {stem(word) for word in words(text)}
    return bool(found & _LIMB_STEMS) and (bool(found & _DIRECTION_STEMS) or bool(free_sides(text)))


def has_conjunction(text: str) -> bool:
    """Whether a sentence strings several things together, perhaps several actions."""
    return "," in text or not {"and", "then", "while", "before", "after", "or"}.isdisjoint(words(text))


def has_negation(text: str) -> bool:
    """Whether a sentence says what is not to be done, which no picture can show."""
    every = words(text)
    return not NEGATIONS.isdisjoint(every) or "stop" in every[:-1]
