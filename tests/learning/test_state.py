import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from anyskill.learning.errors import CheckpointError
from anyskill.learning.state import State, read_state, write_state

DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8, torch.bool)


def example() -> State:
    base = torch.arange(12.0).reshape(3, 4)
    return {
        "iteration": 7,
        "rate": 2e-05,
        "third": 1 / 3,
        "nothing": None,
        "names": ["a", "ü", 3, [True]],
        "empty": {},
        "tensors": {str(dtype): torch.ones(2, 3).to(dtype) for dtype in DTYPES},
        "deep": {"er": {"scalar": torch.tensor(4.5, dtype=torch.float64), "note": "x", "none": torch.zeros(0, 3)}},
        "left": base[:, :2],  # views of one storage, not contiguous
        "right": base.T,
    }


def assert_same(left: object, right: object) -> None:
    if isinstance(left, dict):
        assert isinstance(right, dict) and left.keys() == right.keys()
        for key in left:
            assert_same(left[key], right[key])
    elif isinstance(left, torch.Tensor):
        assert isinstance(right, torch.Tensor) and left.dtype == right.dtype and torch.equal(left, right)
    else:
        assert left == right and type(left) is type(right)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_state(tmp_path / "folder" / "state", example())
    assert_same(example(), read_state(tmp_path / "folder" / "state"))
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["state"]


def test_equal_states_are_equal_files(tmp_path: Path) -> None:
    write_state(tmp_path / "a", example())
    write_state(tmp_path / "b", example())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_numbers_that_are_not_finite_survive(tmp_path: Path) -> None:
    write_state(tmp_path / "a", {"worst": -math.inf, "mean": math.nan})
    state = read_state(tmp_path / "a")
    assert state["worst"] == -math.inf and math.isnan(state["mean"])


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a": {"b": object()}}, "a/b is a object"),
        ({"a": [torch.zeros(1)]}, "a/0 is a Tensor"),
        ({"a": {3: 1}}, "a/3 cannot be saved"),
        ({"a/b": 1}, "without a slash"),
    ],
)
def test_what_cannot_be_saved_is_named(tmp_path: Path, state: State, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        write_state(tmp_path / "a", state)
    assert not list(tmp_path.iterdir())


def test_a_writer_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    write_state(tmp_path / "a", {"x": 1})
    with pytest.raises(CheckpointError):
        write_state(tmp_path / "a", {"x": object()})
    assert read_state(tmp_path / "a") == {"x": 1}


def test_files_that_are_none_of_ours(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no such file"):
        read_state(tmp_path / "none")
    import safetensors.torch

    safetensors.torch.save_file({"x": torch.zeros(2)}, tmp_path / "foreign")
    with pytest.raises(CheckpointError, match="not written by this program"):
        read_state(tmp_path / "foreign")
    (tmp_path / "text").write_text("hello, I am a text file")
    with pytest.raises(CheckpointError, match="damaged or no state file"):
        read_state(tmp_path / "text")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_state(tmp_path)


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("state") / "state"
    write_state(path, example())
    return path


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_damage_is_noticed(intact: Path, data: st.DataObject) -> None:
    content = bytearray(intact.read_bytes())
    if data.draw(st.booleans(), "cut"):
        content = content[: data.draw(st.integers(0, len(content) - 1), "length")]
    else:
        place = data.draw(st.integers(0, len(content) - 1), "place")
        content[place] ^= data.draw(st.integers(1, 255), "bits")
    damaged = intact.with_name("damaged")
    damaged.write_bytes(content)
    try:
        state = read_state(damaged)
    except CheckpointError:
        return
    assert_same(example(), state)  # a bit that carries nothing, such as padding
