import io
import time

import pytest
from rich.console import Console

from anyskill.learning.progress import PhaseTimer, Progress

PHASES = {"physics": 0.6, "networks": 0.4}
METRICS = {"reward": 0.314159, "loss/policy": 1.0}


def test_phases_add_up() -> None:
    timer = PhaseTimer()
    for _ in range(2):
        with timer("sleep"):
            time.sleep(0.02)
    with pytest.raises(ValueError), timer("failing"):
        raise ValueError
    seconds = timer.take()
    assert list(seconds) == ["sleep", "failing"]
    assert 0.04 <= seconds["sleep"] < 1.0
    assert timer.take() == {}


def test_plain_lines_where_there_is_no_terminal() -> None:
    output = io.StringIO()
    with Progress("walk", 1000, 0, console=Console(file=output)) as view:
        for done in range(1, 100):
            view.update(done, 12345.6, PHASES, METRICS)
        view.update(1000, 12345.6, PHASES, METRICS)
    lines = output.getvalue().splitlines()
    assert len(lines) == 2  # the first, and the last: no flood
    assert lines[0].startswith("walk 1/1000  12,346 samples/s  ")
    assert lines[1] == "walk 1000/1000  12,346 samples/s  0:00:00 left  reward 0.3142  physics 60%  networks 40%"


def test_a_live_view_on_a_terminal() -> None:
    output = io.StringIO()
    with Progress("walk", 10, console=Console(file=output, force_terminal=True, width=100)) as view:
        view.update(5, 2000.0, PHASES, METRICS)
    text = output.getvalue()
    for part in ("walk", "5/10", "2,000 samples/s", "left", "reward 0.3142", "physics 60%", "━"):
        assert part in text


def test_a_quiet_console_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("walk", 10, console=Console(stderr=True, quiet=True, force_terminal=True)) as view:
        view.update(5, 2000.0, PHASES, METRICS)
    assert capsys.readouterr() == ("", "")
