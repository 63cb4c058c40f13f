import torch

from anyskill.vision_language.bodyclip.claims import Claims, ClaimTower
from anyskill.vision_language.bodyclip.phrases import phrase_book

CLAIMS = Claims(["walk", "kick", "walk"])


def test_every_fact_and_every_label_has_a_column() -> None:
    assert len(CLAIMS) == len(phrase_book()) + 2
    rows = CLAIMS.rows([{"label: walk", "arm_overhead.right"}, set(), {"label: kick"}])
    assert rows.shape == (3, len(CLAIMS))
    assert rows.sum(1).tolist() == [2.0, 0.0, 1.0]
    assert rows[0, list(phrase_book()).index("arm_overhead.right")] == 1.0
    assert rows[0, -1] == 1.0 and rows[2, -2] == 1.0, "labels come last, in order"
    assert CLAIMS.rows([]).shape == (0, len(CLAIMS))


def test_what_can_be_said_alone() -> None:
    said = CLAIMS.sentences()
    assert said["walk"] == len(CLAIMS) - 1 and said["kick"] == len(CLAIMS) - 2
    assert (
        said["raise your right arm overhead"] == said["right arm up"] == list(phrase_book()).index("arm_overhead.right")
    )
    assert not any("one's" in text or "oneself" in text for text in said)


def test_a_label_suits_those_who_are_called_so_and_no_label_suits_all() -> None:
    keys = [{"label: walk", "stand"}, {"stand"}, {"label: kick"}]
    assert CLAIMS.suits(keys, [("walk",), (), ("walk", "kick")]).tolist() == [
        [True, True, False],
        [False, True, False],
        [True, True, True],
    ]


def test_a_sentence_lies_where_the_sum_of_its_claims_points() -> None:
    tower = ClaimTower(len(CLAIMS), 8, torch.Generator().manual_seed(0))
    rows = CLAIMS.rows([{"arm_overhead.right"}, {"stand"}, {"arm_overhead.right", "stand"}])
    first, second, together = tower(rows).detach()
    assert torch.allclose(together.norm(), torch.ones(()))
    one, other = (tower.directions[int(row.argmax())].detach() for row in rows[:2])
    torch.testing.assert_close(first, one / one.norm())
    assert torch.equal(tower.alone(rows[:2].argmax(1)).detach(), torch.stack((first, second)))
    torch.testing.assert_close(together, (one + other) / (one + other).norm())
    assert together @ first > 0.4 and together @ second > 0.4
