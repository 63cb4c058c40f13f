"""One small model of every kind, built once."""

from pathlib import Path

import pytest

from tests.vision_language import tiny_models


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of models by kind."""
    root = tmp_path_factory.mktemp("models")
    return {kind: tiny_models.build(kind, root / kind) for kind in tiny_models.KINDS}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Text features go to a folder of the test's own."""
    monkeypatch.setenv("ANYSKILL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
