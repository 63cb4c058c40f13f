"""Pickles of plain data, read without trust.

A pickle is a program for a small stack machine. This is such a machine with only those instructions that build
dictionaries, lists, texts, numbers and arrays; arrays are stood in for by ``PlainArray``, so that nothing outside of
this module is ever called.
"""

import pickle
import pickletools
import re
from collections.abc import Callable
from typing import Any

import numpy as np

_MAX_INSTRUCTIONS = 100_000  # a motion needs some hundreds; its numbers are a few long strings of bytes


class PlainArray:
    """An array of numbers in ``array``, or, for an array of one object, that object in ``content``."""

    array: np.ndarray | None = None
    content: Any = None

    def build(self, state: tuple[Any, ...]) -> None:
        """Take the state of a pickled ``numpy.ndarray``."""
        _, shape, dtype, fortran, data = state
        if any(size < 0 for size in shape):
            raise pickle.UnpicklingError("an array has a negative size")
        if dtype.name == "O8":
            (self.content,) = data
        else:
            self.array = np.frombuffer(data, dtype.resolve()).reshape(shape, order="F" if fortran else "C")


class _DType:
    """Stands in for ``numpy.dtype``."""

    def __init__(self, name: str, *_: object) -> None:
        self.name, self.byte_order = name, "<"

    def build(self, state: tuple[Any, ...]) -> None:
        self.byte_order = "<" if state[1] == "|" else state[1]

    def resolve(self) -> np.dtype:
        if re.fullmatch(r"[<>](f[248]|[iu][1248]|b1|U[1-9]\d{0,2})", self.byte_order + self.name) is None:
            raise pickle.UnpicklingError(f"arrays of type {self.name[:20]!r} are not read")
        return np.dtype(self.byte_order + self.name)


def _array(*_: object) -> PlainArray:
    return PlainArray()


def _scalar(dtype: _DType, data: bytes) -> int | float | bool | str:
    (value,) = np.frombuffer(data, dtype.resolve()).tolist()
    return value


def _dictionary() -> dict[str, Any]:
    return {}


_BUILDERS: dict[str, Callable[..., Any]] = {
    "multiarray _reconstruct": _array,
    "multiarray scalar": _scalar,
    "numpy ndarray": _array,
    "numpy dtype": _DType,
    "collections OrderedDict": _dictionary,
}


def load_plain(data: bytes) -> Any:
    """What a pickle of plain data builds.

    Raises:
        Exception: Of any type, if the pickle is damaged or asks for anything else.
    """
    stack: list[Any] = []
    below: list[list[Any]] = []  # the stacks under each mark
    memo: dict[int, Any] = {}

    def above_mark() -> list[Any]:
        nonlocal stack
        top, stack = stack, below.pop()
        return top

    argument: Any
    for count, (instruction, argument, _) in enumerate(pickletools.genops(data)):
        if count > _MAX_INSTRUCTIONS:
            raise pickle.UnpicklingError(f"it has more than {_MAX_INSTRUCTIONS} instructions")
        match instruction.name:
            case "PROTO" | "FRAME":
                pass
            case "STOP":
                return stack.pop()
            case "MARK":
                below.append(stack)
                stack = []
            case "NONE":
                stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(instruction.name == "NEWTRUE")
            case (
                "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT" | "BINUNICODE" | "SHORT_BINUNICODE"
                | "BINBYTES" | "SHORT_BINBYTES"
            ):  # fmt: skip
                stack.append(argument)
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE":
                items = above_mark()
                stack.append(tuple(items))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                size = int(instruction.name[-1])
                stack[-size:] = [tuple(stack[-size:])]
            case "APPEND":
                value = stack.pop()
                stack[-1].append(value)
            case "APPENDS":
                items = above_mark()
                stack[-1].extend(items)
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                _set(stack[-1], key, value)
            case "SETITEMS":
                items = above_mark()
                for key, value in zip(items[::2], items[1::2], strict=True):
                    _set(stack[-1], key, value)
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "GLOBAL":
                stack.append(_builder(argument))
            case "STACK_GLOBAL":
                name, module = stack.pop(), stack.pop()
                stack.append(_builder(" ".join((module, name))))
            case "REDUCE":
                arguments, builder = stack.pop(), stack.pop()
                if builder not in _BUILDERS.values():
                    raise pickle.UnpicklingError("it calls something that is no plain data")
                stack.append(builder(*arguments))
            case "BUILD":
                state = stack.pop()
                stack[-1].build(state)
            case _:
                raise pickle.UnpicklingError(
                    f"it uses the instruction {instruction.name}, which plain data do not need"
                )
    raise pickle.UnpicklingError("it ends too early")


def _set(target: dict[str, Any], key: object, value: object) -> None:
    # Only texts: the hash of nested tuples can be made to take for ever.
    if not isinstance(key, str) or not isinstance(target, dict):
        raise pickle.UnpicklingError("a dictionary has a key that is not a text")
    target[key] = value


def _builder(name: str) -> Callable[..., Any]:
    short = re.sub(r"^numpy\._?core\.", "", name)
    if short not in _BUILDERS:
        raise pickle.UnpicklingError(f"it asks for {name.replace(' ', '.')[:80]}, which is no plain data")
    return _BUILDERS[short]
