"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

import anyskill  # noqa: F401 - before torch, since it sets how its threads wait

import torch  # isort: skip

torch.set_num_threads(2)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of motions and texts that are not part of the repository."""
    folder = Path(os.environ.get("ANYSKILL_DATA", Path(__file__).parents[2] / "shared"))
    if not (folder / "motions").is_dir():
        pytest.skip("the shared motions are not here")
    return folder
