"""What is said of a ball, a box, a chair, a door or a pillar beside the body."""

import pytest
import torch

from anyskill.body.humanoid import Geom
from anyskill.body.state import BodyState
from anyskill.motion.pose import SKELETON
from anyskill.sim.scene import SceneObject, ball, chair, door, pillar, projectile
from anyskill.vision_language.bodyclip.captions import FULL, Captioner
from anyskill.vision_language.bodyclip.facts import Facts, facts_of
from anyskill.vision_language.bodyclip.measures import ANKLES, HANDS, PELVIS
from anyskill.vision_language.bodyclip.moments import turned
from anyskill.vision_language.bodyclip.phrases import phrase_book
from anyskill.vision_language.bodyclip.things import KINDS, Thing
from anyskill.vision_language.model import VisionLanguageError
from tests.vision_language.bodyclip.poses import body, mirror, named, random_states

LEGS = {side: ((0.4, y, -0.4), (1, 0, 0)) for side, y in (("right", -0.08), ("left", 0.08))}
SEATED = body({"arms": "forward"}, LEGS)
OF_THINGS = [fact for fact, phrases in phrase_book().items() if "thing" in phrases.parts]
THINGS = {kind: {fact for fact in OF_THINGS if kind in fact} for kind in KINDS}
UPRIGHT = (1.0, 0.0, 0.0, 0.0)


def box(side: float = 0.3) -> SceneObject:
    return SceneObject("box", (Geom("box", (0.5 * side,) * 3, (0, 0, 0), 10),))


def placed(item: SceneObject, place: object, turn: tuple[float, float, float, float] | None = None) -> Thing:
    """In one state; objects that are made upright keep the rotation they were made with."""
    where = torch.as_tensor(place, dtype=torch.float64)[None]
    return Thing(item, where, torch.tensor([turn or item.rotation], dtype=torch.float64))


def true_of(state: BodyState, thing: Thing) -> set[str]:
    facts = facts_of(state[None], thing=thing)
    return set(facts.true[0]) & set(OF_THINGS)


def hand(state: BodyState, side: int) -> torch.Tensor:
    return state.positions[HANDS[side]]


def on_seat(state: BodyState) -> BodyState:
    """Lifted, so that a seat at 0.45 m fits below the hips."""
    lift = torch.tensor([0.0, 0.0, 0.55]) - state.positions[PELVIS] * torch.tensor([0.0, 0.0, 1.0])
    rest = (state.rotations, state.linear_velocities, state.angular_velocities, state.contact_forces)
    return BodyState(state.positions + lift, *rest)


def scenes() -> dict[str, tuple[BodyState, Thing, set[str]]]:
    """Bodies, things, and all that is true of the two."""
    stand, forward = named("at ease"), named("arms forward")
    between_hands = 0.5 * (hand(forward, 0) + hand(forward, 1))
    gap = float((hand(forward, 0) - hand(forward, 1)).norm())
    toe = stand.positions[ANKLES[1]] + torch.tensor([0.27, 0.0, 0.05])
    return {
        "a ball ahead": (stand, placed(ball(), (1.0, 0, 0.13)), {"thing_in_front"}),
        "a ball behind": (stand, placed(ball(), (-2.5, 0, 0.13)), {"thing_behind", "far_from_thing"}),
        "a pillar at the right": (stand, placed(pillar(), (0, -0.6, 0.9)), {"near_thing", "thing_beside.right"}),
        "a door at the left": (
            stand,
            placed(door(), (-0.4, 2.4, 0.1), (1, 0, 0, 0)),
            {"thing_beside.left", "far_from_thing"},
        ),
        "the right hand on a pillar": (
            forward,
            placed(pillar(), hand(forward, 0) + torch.tensor([0.24, -0.1, -0.4])),
            {"near_thing", "thing_in_front", "hand_on_thing.right"},
        ),
        "a box in both hands": (
            forward,
            placed(box(gap - 0.02), between_hands),
            {
                "near_thing",
                "thing_in_front",
                "hand_on_thing.right",
                "hand_on_thing.left",
                "hand_on_thing.both",
                "hold_thing",
            },
        ),
        "the left foot at a ball": (stand, placed(ball(), toe), {"near_thing", "thing_in_front", "foot_on_thing.left"}),
        "on a chair": (on_seat(SEATED), placed(chair(), (-0.05, 0, 0)), {"near_thing", "sit_on_thing"}),
    }


@pytest.mark.parametrize("name", scenes())
def test_what_is_true_of_a_scene(name: str) -> None:
    state, thing, expected = scenes()[name]
    assert true_of(state, thing) == {fact.replace("thing", thing.kind) for fact in expected}


def test_every_fact_of_a_thing_is_true_somewhere_and_denied_somewhere() -> None:
    true: set[str] = set()
    false: set[str] = set()
    for state, thing, _ in scenes().values():
        for seen, other in ((state, thing), (mirror(state), reflected(thing))):
            facts = facts_of(seen[None], thing=other)
            true |= {fact.replace(thing.kind, "thing") for fact in facts.true[0] if fact in THINGS[thing.kind]}
            false |= set(facts.false[0])
    assert true == {fact.replace(kind, "thing") for kind in KINDS for fact in THINGS[kind]}
    assert set(OF_THINGS) <= false


def reflected(thing: Thing) -> Thing:
    """In the xz plane; its shapes must be the same on both sides."""
    polar, turn = thing.positions.new_tensor([1.0, -1.0, 1.0]), thing.positions.new_tensor([1.0, -1.0, 1.0, -1.0])
    return Thing(thing.item, thing.positions * polar, thing.rotations * turn)


def test_mirrored_scenes_have_mirrored_facts() -> None:
    states = random_states(200, seed=3)
    generator = torch.Generator().manual_seed(4)
    places = states.positions[:, PELVIS] + 2 * torch.rand(200, 3, generator=generator, dtype=torch.float64) - 1
    turns = torch.nn.functional.normalize(torch.randn(200, 4, generator=generator, dtype=torch.float64), dim=-1)
    for item in (ball(), chair()):
        thing = Thing(item, places, turns)
        facts, other = facts_of(states, thing=thing), facts_of(mirror(states), thing=reflected(thing))
        torch.testing.assert_close(facts.mirrored().margins, other.margins)


def test_the_way_the_two_face_together_does_not_matter() -> None:
    state, thing, _ = scenes()["a box in both hands"]
    together = BodyState.at_rest(SKELETON, *_root(state))
    yaw = torch.tensor(2.0, dtype=torch.float64)
    around = turned(BodyState(thing.positions, thing.rotations, *[torch.zeros_like(thing.positions)] * 3), yaw)
    assert true_of(turned(together, yaw), Thing(thing.item, around.positions, around.rotations)) == true_of(
        together, thing
    )


def _root(state: BodyState) -> tuple[torch.Tensor, torch.Tensor]:
    return state.positions[PELVIS], SKELETON.local_rotations(state.rotations)


def test_without_a_thing_nothing_is_known_of_things() -> None:
    states = random_states(50, seed=1)
    alone, beside = facts_of(states), facts_of(states, thing=repeated(placed(ball(), (1.0, 0, 0.13)), 50))
    columns = [list(phrase_book()).index(fact) for fact in OF_THINGS]
    assert columns == list(range(columns[0], len(phrase_book()))), "facts of the body keep their places"
    assert (alone.margins[:, columns] == -0.5).all()
    assert torch.equal(alone.margins[:, : columns[0]], beside.margins[:, : columns[0]])
    captioner = Captioner(torch.Generator().manual_seed(0))
    for index in range(50):
        text = captioner.caption(alone, index, FULL).text if alone.true[index] else ""
        assert "chair" not in text and "door" not in text and "pillar" not in text


def repeated(thing: Thing, count: int) -> Thing:
    return Thing(thing.item, thing.positions.expand(count, -1), thing.rotations.expand(count, -1))


def test_captions_tell_of_the_thing_and_lie_about_it() -> None:
    state, thing, _ = scenes()["a box in both hands"]
    facts = facts_of(state[None], thing=thing)
    only = Facts(facts.margins.clone())
    only.margins[:, : -len(OF_THINGS)] = -0.5
    captioner = Captioner(torch.Generator().manual_seed(2))
    texts, lies = set(), set()
    for _ in range(200):
        caption = captioner.caption(only, 0, 3)
        assert len(caption.parts) == 1 and caption.key <= set(facts.true[0])
        negative = captioner.negative(caption, only, 0)
        assert negative.key <= set(facts.false[0])
        texts.add(caption.text)
        lies |= negative.key
    assert len(texts) > 40 and all("box" in text for text in texts)
    assert any("holding the box" in text for text in texts)
    assert "box_behind" in lies and any("ball" in lie for lie in lies)


def test_names_of_things() -> None:
    assert placed(projectile((0, 0, 0)), (0, 0, 0)).kind == "box"
    assert placed(ball(name="ball_2"), (0, 0, 0)).kind == "ball"
    for item in (
        SceneObject("sofa", ball().geoms),
        SceneObject("ball", (Geom("cylinder", (0.1,), (0, 0, 0), 1, (0, 0, 1)),)),
    ):
        with pytest.raises(VisionLanguageError, match="captions have no words for"):
            placed(item, (0, 0, 0))
