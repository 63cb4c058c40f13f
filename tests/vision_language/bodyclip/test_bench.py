import pytest
import torch

from anyskill.bench import run_cases
from anyskill.vision_language.bodyclip import bench
from anyskill.vision_language.bodyclip.model import Bank, BodyClip
from anyskill.vision_language.bodyclip.towers import Towers
from tests.vision_language.bodyclip.made_up import TINY, WORDS


def test_speeds_of_a_tiny_model(monkeypatch: pytest.MonkeyPatch) -> None:
    towers = Towers(TINY, len(WORDS), WORDS.buckets, torch.Generator().manual_seed(0))
    model = BodyClip(towers, TINY, WORDS, Bank(torch.zeros(0, 32), 0.0))
    monkeypatch.setattr(bench, "load_bodyclip", lambda device: model)
    results = {result.case: result for result in run_cases(bench.cases(), seconds=0.05)}
    assert [case.name for case in bench.cases(quick=True)] == ["single pictures", "sentences"]
    assert {name: result.unit for name, result in results.items()} == {
        "single pictures": "pictures/s",
        "sentences": "sentences/s",
        "4 pictures together": "pictures/s",
    }
    assert all(result.value > 50 for result in results.values())
