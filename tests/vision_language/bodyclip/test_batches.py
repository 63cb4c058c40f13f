import torch

from anyskill.vision_language.bodyclip.batches import history_facts, make_batch
from anyskill.vision_language.bodyclip.phrases import phrase_book
from anyskill.vision_language.bodyclip.shards import Shards

ROWS = torch.arange(64)


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_parts_belong_together(shards: Shards) -> None:
    batch = make_batch(shards[1], ROWS, 2, _generator())
    n = len(batch.texts)
    assert 60 <= n <= 64
    assert batch.pictures.shape == (n, 2, 112, 112, 3) and batch.states.batch_shape == (n, 2)
    assert batch.admitted.shape == batch.admitted_negative.shape == (n, n) and len(batch.negatives) == n
    assert bool(batch.admitted.diagonal().all()), "a sentence may be true of its own picture"
    assert not batch.admitted_negative.diagonal().any(), "a false sentence is false of its own picture"
    assert 0.02 < float(batch.admitted.float().mean()) < 0.9


def test_fewer_pictures_are_the_last_ones(shards: Shards) -> None:
    batch = make_batch(shards[1], ROWS, 1, _generator())
    both = make_batch(shards[1], ROWS, 2, _generator())
    assert batch.pictures.shape[1] == 1
    rows = {picture.sum().item() for picture in both.pictures[:, -1]}
    assert {picture.sum().item() for picture in batch.pictures[:, 0]} <= rows | {
        picture.sum().item() for picture in shards[1].pictures[:, -1]
    }


def test_wording_changes_with_the_generator(shards: Shards) -> None:
    first, same, other = (make_batch(shards[0], ROWS, 1, _generator(seed)) for seed in (0, 0, 1))
    assert first.texts == same.texts and first.negatives == same.negatives
    assert sum(a != b for a, b in zip(first.texts, other.texts, strict=False)) > 40


def test_names_are_told_and_admitted_where_they_apply(shards: Shards) -> None:
    batch = make_batch(shards[0], torch.arange(96), 1, _generator())
    alone = [number for number, text in enumerate(batch.texts) if text in ("right arm up", "left arm up")]
    assert alone
    for number in alone:
        told = [other for other in alone if batch.texts[other] == batch.texts[number]]
        assert bool(batch.admitted[told, number].all())


def test_a_single_picture_shows_no_movement(shards: Shards) -> None:
    states = shards[1].states(ROWS)
    moving = {fact for fact, phrases in phrase_book().items() if "movement" in phrases.parts}
    single = history_facts(states[:, -1:])
    assert not moving & {fact for true in single.true for fact in true}
    assert moving & {fact for true in history_facts(states).true for fact in true}
