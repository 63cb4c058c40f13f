"""The command line as a person meets it: help, errors in one sentence, exit codes."""

import errno
import os

import pytest

from anyskill.cli import main as cli
from anyskill.errors import AnyskillError


def fail() -> None:
    """Fail in a way the user can mend."""
    raise AnyskillError("walk.bvh is empty; choose another file.")


def interrupt() -> None:
    """Be stopped."""
    raise KeyboardInterrupt


def exit_code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert isinstance(stop.value.code, int)
    return stop.value.code


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("--help") == 0
    assert "motions" in capsys.readouterr().out
    for name, verb in cli.VERBS.items():
        commands = [[name]] if callable(verb) else [[name], *([name, inner] for inner in verb)]
        for command in commands:
            assert exit_code(*command, "--help") == 0
            assert "usage: anyskill " + " ".join(command) in capsys.readouterr().out


def test_an_error_is_one_sentence_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.VERBS, "fail", fail)
    assert exit_code("fail") == 2
    captured = capsys.readouterr()
    assert captured.err == "anyskill: walk.bvh is empty; choose another file.\n"
    assert not captured.out


def test_a_full_disk_is_one_sentence_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fill() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/a/video.mp4")

    monkeypatch.setitem(cli.VERBS, "fill", fill)
    assert exit_code("fill") == 2
    error = capsys.readouterr().err
    assert error == "anyskill: runs/a/video.mp4: No space left on device; files that were there are untouched.\n"


def test_interruption_has_its_own_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.VERBS, "interrupt", interrupt)
    assert exit_code("interrupt") == 130


@pytest.mark.parametrize("arguments", [(), ("motions",), ("fly",), ("motions", "check", "--colour", "red")])
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...]) -> None:
    assert exit_code(*arguments) == 2
