"""Answers of language models are kept in a folder of the test's own."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ANYSKILL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
