import pytest

from anyskill.vision_language.bodyclip.verbs import gerund, inflect, third_person


@pytest.mark.parametrize(
    ("verb", "participle", "third"),
    [
        ("raise", "raising", "raises"),
        ("sit", "sitting", "sits"),
        ("squat", "squatting", "squats"),
        ("step", "stepping", "steps"),
        ("lie", "lying", "lies"),
        ("push", "pushing", "pushes"),
        ("carry", "carrying", "carries"),
        ("play", "playing", "plays"),
        ("box", "boxing", "boxes"),
        ("go", "going", "goes"),
        ("open", "opening", "opens"),
        ("lean", "leaning", "leans"),
        ("bow", "bowing", "bows"),
        ("have", "having", "has"),
        ("be", "being", "is"),
    ],
)
def test_verbs(verb: str, participle: str, third: str) -> None:
    assert (gerund(verb), third_person(verb)) == (participle, third)


def test_marked_verbs_are_inflected_too() -> None:
    assert inflect("bend down and *touch one's toes", "third") == "bends down and touches one's toes"
    assert inflect("bend down and *touch one's toes", "gerund") == "bending down and touching one's toes"
    assert inflect("bend down and *touch one's toes", "imperative") == "bend down and touch one's toes"


def test_a_progressive_loses_its_be() -> None:
    assert inflect("be kneeling on all fours", "gerund") == "kneeling on all fours"
    assert inflect("be kneeling on all fours", "third") == "is kneeling on all fours"
    assert inflect("be upside down", "gerund") == "being upside down"
