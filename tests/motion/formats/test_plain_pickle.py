import pickle
import time
from collections import OrderedDict

import numpy as np
import pytest

from anyskill.motion.formats.plain_pickle import load_plain


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_data(protocol) -> None:
    data = {"a": [1, -5, 300, 70000, 2**40, 1.5, True, None], "b": ("x", (), ("y",)), "c": {}}
    data["shared"] = data["a"]
    assert load_plain(pickle.dumps(data, protocol)) == data


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(4, dtype=">i4"),
        np.array(["ab", "c"]),
        np.array(7),
    ],
)
def test_arrays(array, protocol) -> None:
    found = load_plain(pickle.dumps(array, protocol)).array
    np.testing.assert_array_equal(found, array)


def test_scalars_and_ordered_dictionaries() -> None:
    data = OrderedDict(a=np.float32(1.5), b=np.str_("text"), c=np.int64(-3))
    assert load_plain(pickle.dumps(data, 4)) == {"a": 1.5, "b": "text", "c": -3}


@pytest.mark.parametrize("value", [{1, 2}, frozenset(), 1j, slice(1), print, np.array(1).dtype.type, {1: 2}])
def test_everything_else_is_refused(value) -> None:
    with pytest.raises(Exception, match=r"plain data|not a text"):
        load_plain(pickle.dumps(value, 4))


def test_nested_tuple_as_key_does_not_hang() -> None:
    # An empty dictionary, then a tuple twice in a tuple twice in a tuple, sixty deep, as its key.
    bomb = b"\x80\x04})\x94" + b"".join(b"h%ch%c\x86\x94" % (level, level) for level in range(60))
    start = time.perf_counter()
    with pytest.raises(pickle.UnpicklingError, match="not a text"):
        load_plain(bomb + b"Ns.")
    assert time.perf_counter() - start < 1


def test_a_billion_instructions_are_refused() -> None:
    with pytest.raises(pickle.UnpicklingError, match="instructions"):
        load_plain(b"\x80\x04" + b"]" * 1_000_000 + b".")


@pytest.mark.parametrize("data", [b"", b".", b"\x80\x04", b"\x80\x04N", b"\x80\x04h\x05."])
def test_damaged_pickles_fail(data) -> None:
    with pytest.raises(Exception, match=r"."):
        load_plain(data)
