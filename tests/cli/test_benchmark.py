"""``anyskill benchmark``."""

import json
from pathlib import Path

import pytest

from anyskill.cli.main import main
from anyskill.evaluate import benchmark as module
from tests.evaluate.made_up import leave_run
from tests.vision_language.color_model import ColorModel

SUITE = """
sentences:
  - {text: raise both arms, group: arms, hold: 0.5, test: {hand_above: both}}
  - {text: stand, group: pose, test: standing}
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "load_model", lambda name, device: ColorModel(name))
    monkeypatch.setattr("anyskill.skill.play.STARTERS", 4)
    monkeypatch.setattr(module, "learn", lambda text, out, **_: leave_run(out, text))
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE)
    return path


def test_lines_a_table_and_a_page(
    suite: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")  # in a narrower terminal names are wrapped
    arguments = ["benchmark", "--out", str(tmp_path / "out"), "--suite", str(suite), "--episodes", "2"]
    main([*arguments, "--json"])
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    assert [line["text"] for line in lines] == ["raise both arms", "stand"]
    assert str(tmp_path / "out" / "benchmark.html") in captured.err.replace("\n", "")
    main([*arguments, "--only", "arms"])
    table = capsys.readouterr().out
    assert "raise both arms" in table and "stand" not in table
    assert "Random latents" in table and "Best single latent" in table


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "legs"], "has no group legs; there are arms, pose"),
        (["--suite", "missing.yaml"], "missing.yaml cannot be read"),
        (["--episodes", "0"], "episodes is 0"),
        (["--iterations", "0"], "iterations is 0"),
    ],
)
def test_bad_input(
    suite: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["benchmark", "--out", str(tmp_path / "out"), "--suite", str(suite), *arguments])
    assert stop.value.code == 2 and message in capsys.readouterr().err
