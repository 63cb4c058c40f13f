"""``anyskill enhance`` and ``anyskill corpus``."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import anyskill.vision_language.model
import anyskill.vision_language.pose_bank
from anyskill.cli.enhance import corpus, enhance
from anyskill.text.errors import TextError
from anyskill.vision_language.model import VisionLanguageError
from tests.text.test_language_model import Server, openai, serve  # noqa: F401 - serve is a fixture

HIGH, WIDE = "raise the right hand above the head", "stretch both arms sideways"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYSKILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Longer sentences are told better from others; collects the names of the models that were loaded."""
    loaded: list[str] = []
    monkeypatch.setattr(anyskill.vision_language.model, "load_model", lambda name, device: loaded.append(name))
    monkeypatch.setattr(
        anyskill.vision_language.pose_bank, "separable", lambda model: lambda texts: [float(len(t)) for t in texts]
    )
    return loaded


def test_the_phrasebook(capsys: pytest.CaptureFixture[str]) -> None:
    enhance("do yoga")
    printed = capsys.readouterr()
    assert printed.out.startswith("stand on the left leg") and len(printed.out.splitlines()) == 1
    assert 'read as "yoga"' in printed.err
    enhance("sit on a chair", json=True)
    record = json.loads(capsys.readouterr().out)
    assert record["changed"] and record["text"].startswith("sit with both knees bent")
    assert len(record["alternatives"]) == 3
    assert all(set(other) == {"text", "why"} for other in record["alternatives"])
    enhance("quantum entanglement")
    printed = capsys.readouterr()
    assert printed.out == "quantum entanglement\n" and "does not know it" in printed.err
    with pytest.raises(TextError, match="empty"):
        enhance(" ")


def test_a_language_model(
    serve: Callable[..., Server],  # noqa: F811
    judged: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = serve(openai(f"- {WIDE}\n- be kind"), openai(f"1. {HIGH}"))
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    for _ in range(2):  # the second time, answers come from the cache
        enhance("hooray", provider="openai", model="small", url=url, prices=(1e4, 1e5), json=True)
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert judged == ["bodyclip", "bodyclip"] and len(server.requests) == 2
    assert first["text"] == HIGH and "separability 35.00" in first["why"]
    assert first["alternatives"] == [{"text": WIDE, "why": "separability 26.00"}]
    assert (first["tokens_in"], first["tokens_out"], first["cost"]) == (200, 40, 6.0)
    assert second["text"] == HIGH and second["cost"] == 0


def test_a_command(judged: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    enhance("hooray", provider="command", model=f"{sys.executable} -c \"print('{WIDE}')\"", vlm="colors")
    printed = capsys.readouterr()
    assert printed.out == f"{WIDE}\n" and "rewritten by" in printed.err and "tokens" not in printed.err
    assert judged == ["colors"]


def test_what_is_missing_is_said() -> None:
    with pytest.raises(TextError, match="openai needs the name of a model; give --model"):
        enhance("wave", provider="openai")
    with pytest.raises(TextError, match="OPENAI_API_KEY is not set"):
        enhance("wave", provider="openai", model="small")
    with pytest.raises(VisionLanguageError):
        enhance("wave", provider="command", model="cat", vlm="/no/such/folder")


def test_a_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / "HumanML3D", tmp_path / "list.yaml"
    (folder / "texts").mkdir(parents=True)
    (folder / "texts" / "1.txt").write_text("a person waves.#x#0#0\nwave#x#0#0\nquantum#x#0#0\n")
    corpus(folder, out)
    rows = yaml.safe_load(out.read_text())["texts"]
    assert len(rows) == 1 and rows[0]["weight"] == 1.0 and len(rows[0]["sources"]) == 2
    assert "1 descriptions of 2 sentences; 1 are not known" in capsys.readouterr().out
    with pytest.raises(TextError, match="holds no sentences; give the folder of HumanML3D"):
        corpus(tmp_path, out)
