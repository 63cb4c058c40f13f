"""``anyskill evaluate``."""

import json
from pathlib import Path

import pytest

from anyskill.cli.main import main
from anyskill.evaluate import runs
from tests.evaluate.made_up import BANK, leave_run
from tests.skill.made_up import Puppet
from tests.vision_language.color_model import ColorModel


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(runs, "load_model", lambda name, device: ColorModel(name))
    monkeypatch.setattr("anyskill.skill.play.STARTERS", 4)
    monkeypatch.setattr("anyskill.skill.skill.load_controller", lambda device: Puppet(BANK))
    leave_run(tmp_path / "run", "raise both arms")
    return tmp_path / "run"


def test_json_and_table(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["evaluate", str(run), "--episodes", "2", "--json"])
    score = json.loads(capsys.readouterr().out)
    assert (score["text"], score["episodes"], score["seconds"]) == ("raise both arms", 2, 33.0)
    main(["evaluate", str(run), "--episodes", "2"])
    table = capsys.readouterr().out
    assert table.strip().startswith("raise both arms") and f"{100 * score['success']:.0f} %" in table


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--suite", "missing.yaml"], "missing.yaml cannot be read"),
        (["--episodes", "0"], "episodes is 0; at least one is needed"),
        (["--texts", "bow"], "leave out --texts"),
    ],
)
def test_bad_input(run: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", str(run), *arguments])
    said = capsys.readouterr().err.strip().splitlines()
    assert stop.value.code == 2 and message in said[-1] and said[-1].startswith("anyskill: ")
