import pytest
import torch

from anyskill.learning import precision
from anyskill.learning.networks import MLP
from anyskill.learning.precision import has_bfloat16, multiplying

CPU = torch.device("cpu")


@pytest.mark.parametrize("feature", ["avx512_bf16", "amx_bf16", "arm_bf16"])
def test_a_processor_says_what_it_can(feature: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, feature: True})
    assert has_bfloat16.__wrapped__(CPU)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, feature: False})
    assert not has_bfloat16.__wrapped__(CPU)


def test_bfloat16_is_never_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    network = MLP(50, (64,), torch.Generator().manual_seed(0), bf16=True)
    x = torch.randn(8, 50, generator=torch.Generator().manual_seed(1))
    for native in (True, False):
        monkeypatch.setattr(precision, "has_bfloat16", lambda _, native=native: native)
        with multiplying(CPU, bf16=True):
            assert torch.is_autocast_enabled("cpu") == native
        with multiplying(CPU, bf16=False):
            assert not torch.is_autocast_enabled("cpu")
        features = network(x)
        assert torch.equal(features, features.bfloat16().float()) == native
