import torch

from anyskill.vision_language.bodyclip.batches import Batch, history_facts, make_batch, random_batch
from anyskill.vision_language.bodyclip.claims import Claims
from anyskill.vision_language.bodyclip.moments import all_labels
from anyskill.vision_language.bodyclip.phrases import phrase_book
from anyskill.vision_language.bodyclip.towers import MAX_FRAMES
from tests.vision_language.bodyclip.made_up import moments

SAMPLER = moments()
CLAIMS = Claims(all_labels(SAMPLER.library.labels))


def _batch(count: int = 64, frames: int = 1, seed: int = 0) -> Batch:
    return make_batch(SAMPLER, CLAIMS, count, frames, 0.2, torch.Generator().manual_seed(seed))


def test_parts_belong_together() -> None:
    batch = _batch(frames=2)
    n = len(batch.texts)
    assert 60 <= n <= 64
    assert batch.states.batch_shape == (n, 2) and len(batch.negatives) == n and batch.interval == 0.2
    assert batch.admitted.shape == batch.admitted_negative.shape == (n, n)
    assert batch.claims.shape == batch.false_claims.shape == (n, len(CLAIMS))
    assert bool((batch.claims.sum(1) >= 1).all()) and bool((batch.false_claims.sum(1) >= 1).all())
    assert bool(batch.admitted.diagonal().all()), "a sentence may be true of its own picture"
    assert not batch.admitted_negative.diagonal().any(), "a false sentence is false of its own picture"
    assert 0.02 < float(batch.admitted.float().mean()) < 0.9


def test_claims_are_true_and_false_claims_are_not() -> None:
    batch = _batch(frames=2)
    margins = history_facts(batch.states).margins
    facts = len(phrase_book())
    assert bool((margins[batch.claims[:, :facts] > 0] > 0).all())
    denied = ((margins <= -1) & (batch.false_claims[:, :facts] > 0)).any(1)
    assert bool((denied ^ batch.false_claims[:, facts:].any(1)).all())


def test_a_name_is_false_of_its_mirror_image() -> None:
    batch = _batch(count=400, frames=2)
    rows = batch.false_claims[:, len(phrase_book()) :].any(1).nonzero()[:, 0].tolist()
    assert len(rows) > 5
    for row in rows:
        assert {batch.texts[row], batch.negatives[row]} in (
            {"right arm up", "left arm up"},
            {"right elbow", "left elbow"},
        )
        assert batch.claims[row].sum() == batch.false_claims[row].sum() == 1.0
        assert not batch.admitted_negative[row, row]
        others = [other for other in rows if batch.texts[other] == batch.negatives[row]]
        assert others and batch.admitted_negative[others, row].all()


def test_wording_and_bodies_change_with_the_generator() -> None:
    first, same, other = (_batch(seed=seed) for seed in (0, 0, 1))
    assert first.texts == same.texts and first.negatives == same.negatives
    assert torch.equal(first.states.positions, same.states.positions)
    assert sum(a != b for a, b in zip(first.texts, other.texts, strict=False)) > 40


def test_names_are_told_and_admitted_where_they_apply_alone() -> None:
    batch = _batch(count=200, frames=2)
    alone = [number for number, text in enumerate(batch.texts) if text in ("right arm up", "left arm up")]
    assert alone
    for number in alone:
        assert batch.claims[number].sum() == 1.0
        told = [other for other in alone if batch.texts[other] == batch.texts[number]]
        assert bool(batch.admitted[told, number].all())
        others = [other for other in alone if batch.texts[other] != batch.texts[number]]
        assert not batch.admitted[others, number].any()


def test_histories_of_all_lengths() -> None:
    batches = [random_batch(SAMPLER, CLAIMS, 4, torch.Generator().manual_seed(seed)) for seed in range(40)]
    lengths = [batch.states.batch_shape[1] for batch in batches]
    assert set(lengths) == set(range(1, MAX_FRAMES + 1)) and 10 <= lengths.count(1) <= 30
    assert {batch.interval for batch in batches} == {0.1, 0.2, 0.3}


def test_a_single_picture_shows_no_movement() -> None:
    states = SAMPLER.sample(64, 2, 0.2, torch.Generator().manual_seed(0)).states
    moving = {fact for fact, phrases in phrase_book().items() if "movement" in phrases.parts}
    single = history_facts(states[:, -1:])
    assert not moving & {fact for true in single.true for fact in true}
    assert moving & {fact for true in history_facts(states).true for fact in true}


def test_sentences_about_movement_are_false_of_bodies_held_still() -> None:
    batch = _batch(count=300, frames=3)
    facts = list(phrase_book())
    about_movement = torch.tensor([fact for fact, name in enumerate(facts) if "movement" in phrase_book()[name].parts])
    labels = torch.arange(len(facts), len(CLAIMS))
    assert 20 < int(batch.moves.sum()) < 250
    claims = batch.claims[batch.moves]
    assert bool((claims[:, about_movement].any(1) | claims[:, labels].any(1)).all())
    at_rest = batch.states.linear_velocities.abs().amax((1, 2, 3)) == 0
    assert bool(at_rest.any()) and not batch.moves[at_rest].any()
    assert bool((batch.moves & ~at_rest).any())
    assert not _batch(count=300).moves.any(), "in a single picture nothing moves"
