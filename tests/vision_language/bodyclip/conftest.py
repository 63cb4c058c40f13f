"""Pictures that several tests look at, drawn once."""

from pathlib import Path

import pytest

from anyskill.vision_language.bodyclip.shards import Shards
from tests.vision_language.bodyclip.made_up import make_shards


@pytest.fixture(scope="session")
def shards_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    make_shards(folder)
    return folder


@pytest.fixture(scope="session")
def shards(shards_folder: Path) -> Shards:
    """Those to train with."""
    return Shards(shards_folder, "train")
