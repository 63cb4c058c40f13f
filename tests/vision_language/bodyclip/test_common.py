import torch
from torch.nn.functional import normalize

from anyskill.vision_language.bodyclip.common import common_direction


def test_all_are_equally_far_along_the_common_direction() -> None:
    generator = torch.Generator().manual_seed(0)
    apart = torch.randn(500, 15, generator=generator) * (torch.arange(15) < 8)
    apart[:, 0] += 2.0  # what most of them do
    seen = normalize(torch.cat((0.6 * torch.ones(500, 1), normalize(apart, dim=-1)), 1), dim=-1)
    along = seen @ common_direction(seen)
    torch.testing.assert_close(along.mean(), torch.tensor(1.0))
    assert float(along.std()) < 0.1
    mean = seen.mean(0)
    assert float((seen @ mean / (mean @ mean)).std()) > 2 * float(along.std())
