"""What ``anyskill bench`` prints."""

import json

import pytest

import anyskill.motion.bench
from anyskill.bench import Case
from anyskill.cli.bench import bench


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Two cases in place of the library's; collects the values of ``quick``."""
    asked: list[bool] = []

    def cases(quick: bool) -> list[Case]:
        asked.append(quick)
        work = sum(range(1000))
        return [
            Case("tables", "MB", lambda: 1234.5),
            Case("windows", "windows/s", lambda: float(work > 0), lambda: float(work > 0)),
        ]

    monkeypatch.setattr(anyskill.motion.bench, "cases", cases)
    return asked


def test_json_lines(asked: list[bool], capsys: pytest.CaptureFixture[str]) -> None:
    bench("library", json=True, quick=True)
    tables, windows = map(json.loads, capsys.readouterr().out.splitlines())
    assert asked == [True]
    assert tables == {"case": "tables", "value": 1234.5, "unit": "MB", "reference": None, "ratio": None}
    assert set(windows) == set(tables)
    assert windows["value"] / windows["reference"] == pytest.approx(windows["ratio"])


def test_a_table(asked: list[bool], capsys: pytest.CaptureFixture[str]) -> None:
    bench("library")
    printed = capsys.readouterr().out
    assert asked == [False]
    assert "tables" in printed and "1 234" in printed and "windows/s" in printed
    assert "{" not in printed
