"""What happens when a model is not here: quickly, and with a way out."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from anyskill.vision_language.hub import identity, model_folder
from anyskill.vision_language.model import VisionLanguageError, load_model

PAPERS = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"

SCRIPT = """
import sys, time
from anyskill.vision_language.hub import model_folder
from anyskill.vision_language.model import VisionLanguageError
started = time.monotonic()
try:
    print(model_folder(sys.argv[1]))
except VisionLanguageError as error:
    print(f"{time.monotonic() - started:.1f}", error)
"""


def ask(name: str, home: Path, **environment: str) -> str:
    """``model_folder`` in a process of its own: the hub reads its switches when it is imported."""
    keep = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "TRANSFORMERS_"))}
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT, name],
        env={**keep, "HF_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.parametrize(
    "environment",
    [{"HF_HUB_OFFLINE": "1"}, {"TRANSFORMERS_OFFLINE": "1"}, {"HF_ENDPOINT": "http://127.0.0.1:9"}],
    ids=["hub switch", "library switch", "no network"],
)
def test_without_network_three_things_are_offered(tmp_path: Path, environment: dict[str, str]) -> None:
    answer = ask(PAPERS, tmp_path, **environment)
    assert float(answer.split()[0]) < 10
    assert f"1. connect to the network once, or run `hf download {PAPERS}`" in answer
    assert "2. pass a local folder" in answer
    assert "3. use the built-in model with `--vlm bodyclip`" in answer


@pytest.mark.slow
def test_a_hub_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        answer = ask(PAPERS, tmp_path, HF_ENDPOINT=f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert float(answer.split()[0]) < 30
    assert "2. pass a local folder" in answer


def test_the_cache_is_used_offline(models: dict[str, Path], tmp_path: Path) -> None:
    """A cache laid out as the hub's: refs/main names a snapshot."""
    repository = tmp_path / "hub" / "models--somebody--tiny"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.parent.mkdir()
    snapshot.symlink_to(models["clip"])
    assert ask("somebody/tiny", tmp_path, HF_HUB_OFFLINE="1").strip() == str(snapshot)


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/folder", "vit-b-32", "a/b/c", "bad name!/model", "~/nothing"])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(VisionLanguageError, match="neither a folder here nor a Hugging Face name"):
        load_model(name)


def test_identity_follows_the_files(models: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes((models["clip"] / name).read_bytes())
    assert model_folder(str(folder)) == folder
    before = identity("model", folder)
    assert identity("model", folder) == before
    (folder / "notes.md").write_text("a file that is not the model's")
    assert identity("model", folder) == before
    time.sleep(0.01)
    (folder / "model.safetensors").write_bytes((models["siglip"] / "model.safetensors").read_bytes())
    assert identity("model", folder) != before
