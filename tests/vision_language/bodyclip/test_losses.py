import math

import pytest
import torch
from torch.nn.functional import normalize

from anyskill.vision_language.bodyclip.losses import contrastive_loss, cosine_loss, pair_loss, share_found, synonym_loss

SCALE = torch.tensor(10.0)
NOBODY = torch.zeros(3, 3, dtype=torch.bool)
EVERYBODY = torch.ones(3, 3, dtype=torch.bool)


def _features(seed: int) -> torch.Tensor:
    return normalize(torch.randn(3, 8, generator=torch.Generator().manual_seed(seed)), dim=-1)


def test_contrastive_loss_by_hand() -> None:
    seen = torch.eye(3)
    false = torch.zeros(3, 3)
    loss = contrastive_loss(seen, torch.eye(3), false, SCALE, NOBODY, NOBODY)
    to_text = math.log(1 + 2 * math.exp(-10) + 3 * math.exp(-10))  # two others, three false ones
    to_picture = math.log(1 + 2 * math.exp(-10))
    assert float(loss) == pytest.approx(0.5 * (to_text + to_picture), abs=1e-6)


def test_what_may_be_true_is_not_pushed_away() -> None:
    seen, told, false = (_features(seed) for seed in range(3))
    loss = contrastive_loss(seen, told, false, SCALE, EVERYBODY, EVERYBODY)
    assert float(loss) == pytest.approx(0.0, abs=1e-6)
    admitted = NOBODY.clone()
    admitted[0, 1] = True
    with_doubt = contrastive_loss(seen, told, false, SCALE, admitted, NOBODY)
    assert float(with_doubt) < float(contrastive_loss(seen, told, false, SCALE, NOBODY, NOBODY))


def test_own_sentence_counts_even_if_admitted() -> None:
    seen, told, false = (_features(seed) for seed in range(3))
    own = torch.eye(3, dtype=torch.bool)
    torch.testing.assert_close(
        contrastive_loss(seen, told, false, SCALE, own, NOBODY),
        contrastive_loss(seen, told, false, SCALE, NOBODY, NOBODY),
    )


def test_pair_loss() -> None:
    seen = torch.eye(3)
    assert float(pair_loss(seen, seen, seen, SCALE)) == pytest.approx(math.log(2))
    assert float(pair_loss(seen, seen, -seen, SCALE)) < 1e-6
    assert float(pair_loss(seen, -seen, seen, SCALE)) == pytest.approx(20.0)


def test_synonyms_with_one_meaning_do_not_compete() -> None:
    names = torch.eye(3)
    descriptions = torch.stack((names[0], names[0], names[2]))
    same = torch.eye(3, dtype=torch.bool)
    same[0, 1] = same[1, 0] = True
    names = torch.stack((names[0], names[0], names[2]))
    assert float(synonym_loss(names, descriptions, SCALE, same)) == pytest.approx(
        math.log(1 + math.exp(-10)) * 2 / 3 + math.log(1 + 2 * math.exp(-10)) / 3, abs=1e-6
    )
    assert float(synonym_loss(names, descriptions, SCALE, torch.eye(3, dtype=torch.bool))) > 0.4


def test_cosine_loss() -> None:
    x = _features(0)
    assert float(cosine_loss(5 * x, x)) == pytest.approx(0.0, abs=1e-6)
    assert float(cosine_loss(-x, x)) == pytest.approx(2.0, abs=1e-6)


def test_share_found() -> None:
    seen = torch.eye(3)
    told = torch.stack((seen[0], seen[0], seen[2]))
    nobody = torch.zeros(3, 3, dtype=torch.bool)
    assert float(share_found(seen, told, nobody)) == pytest.approx(2 / 3)
    doubt = nobody.clone()
    doubt[0, 1] = True  # the second sentence may be true of the first picture
    doubt[2, 1] = True
    assert float(share_found(seen, told, doubt)) == 1.0
