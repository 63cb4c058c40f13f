import pytest

import anyskill.vision_language.bench as bench
from anyskill.bench import run_cases

from .color_model import ColorModel


@pytest.mark.parametrize("frames", [1, 3])
def test_the_projection_is_far_faster_than_pictures(monkeypatch: pytest.MonkeyPatch, frames: int) -> None:
    monkeypatch.setattr(bench, "load_model", lambda device: ColorModel(frames=frames, dimension=128))
    (case,) = bench.cases(quick=True)
    (result,) = run_cases([case], seconds=0.5)
    assert result.unit == "states/s"
    assert result.ratio is not None and result.ratio > 20  # with a model that costs next to nothing
