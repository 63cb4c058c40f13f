"""Tests of sentences: named conditions, and the few ways to put them together.

Written in YAML, a test is one of these; nothing of it is ever run as code::

    standing                                    a condition by name, see TESTS
    {hand_above: right}                         of one side: right, left, both, either or one (and not the other)
    {leaning: {direction: left, least: 15}}     with parameters
    {arm_towards: {side: both, direction: out}}
    {all: [...]}, {any: [...]}, {not: ...}      of other tests
    {then: [first, second]}                     the second, within three seconds after the first
    {hold: 0.5, of: ...}                        has been true without a break for so long (s)
"""

import inspect
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from anyskill.evaluate import movements, poses
from anyskill.evaluate.errors import EvaluationError
from anyskill.evaluate.poses import Holds
from anyskill.evaluate.track import SIDES, Track, lasting, recently

Test = Callable[[Track], Holds]

TESTS: dict[str, Callable[..., Holds]] = {
    name: function
    for module in (poses, movements)
    for name, function in vars(module).items()
    if inspect.isfunction(function) and inspect.signature(function).return_annotation is Holds
}
"""All conditions by name."""

GROUPING = ("all", "any", "not", "then", "hold")
AFTERWARDS = 3.0  # s in which the second part of a ``then`` has to begin

_SIDES: dict[str, Callable[[Holds, Holds], Holds]] = {
    "right": lambda right, left: right,
    "left": lambda right, left: left,
    "both": torch.logical_and,
    "either": torch.logical_or,
    "one": torch.logical_xor,
}


def success(track: Track, test: Test, hold: float) -> Bool[Tensor, "world"]:
    """Which worlds pass: at some time the test has held without a break for ``hold`` seconds."""
    return lasting(test(track), hold).any(0)


def read_test(expression: Any) -> Test:
    """A test as it is written in YAML.

    Raises:
        EvaluationError: The message says which part cannot be read.
    """
    if isinstance(expression, str):
        return _condition(expression, {})
    if not isinstance(expression, Mapping) or not expression:
        raise EvaluationError(
            f"{expression!r} is no test; give a condition's name, or a mapping from it to parameters."
        )
    if set(expression) == {"hold", "of"}:
        return _held(expression["hold"], read_test(expression["of"]))
    if len(expression) > 1:
        raise EvaluationError(f"{dict(expression)!r} is more than one test; put them into a list under all or any.")
    name, content = next(iter(expression.items()))
    if name == "not":
        part = read_test(content)
        return lambda track: ~part(track)
    if name in ("all", "any", "then"):
        return _joined(name, content)
    return _condition(name, {"side": content} if isinstance(content, str) else content)


def _joined(how: str, content: Any) -> Test:
    if not isinstance(content, list) or len(content) < 2 or (how == "then" and len(content) > 2):
        raise EvaluationError(f"{how} needs a list of {'two' if how == 'then' else 'two or more'} tests.")
    parts = [read_test(part) for part in content]
    if how == "then":
        return lambda track: recently(parts[0](track), AFTERWARDS) & parts[1](track)
    join = torch.logical_and if how == "all" else torch.logical_or
    return lambda track: reduce(join, (part(track) for part in parts))


def _held(seconds: Any, part: Test) -> Test:
    if not is_number(seconds) or seconds < 0:
        raise EvaluationError(f"hold is {seconds!r}; it must be a number of seconds.")
    return lambda track: lasting(part(track), seconds)


def _condition(name: Any, parameters: Any) -> Test:
    if name not in TESTS:
        raise EvaluationError(f"{name} is no condition; there are {', '.join((*TESTS, *GROUPING))}.")
    if not isinstance(parameters, Mapping):
        raise EvaluationError(f"{name} has parameters {parameters!r}; give a side or a mapping of names to values.")
    function = TESTS[name]
    _check_parameters(name, dict(list(inspect.signature(function).parameters.items())[1:]), parameters)
    rest = dict(parameters)
    side = rest.pop("side", None)
    if side is None:
        return lambda track: function(track, **rest)
    join = _SIDES[side]
    return lambda track: join(*(function(track, side=each, **rest) for each in SIDES))


def _check_parameters(name: str, known: dict[str, inspect.Parameter], given: Mapping[str, Any]) -> None:
    for key, value in given.items():
        if key not in known:
            takes = f"takes {', '.join(known)}" if known else "takes no parameters"
            raise EvaluationError(f"{key} is no parameter of {name}, which {takes}.")
        if key == "side":
            if value not in _SIDES:
                raise EvaluationError(f"side of {name} is {value!r}; it must be one of {', '.join(_SIDES)}.")
        elif known[key].annotation is not str and not is_number(value):
            raise EvaluationError(f"{key} of {name} is {value!r}; it must be a number.")
    for key, parameter in known.items():
        if key not in given and parameter.default is inspect.Parameter.empty:
            raise EvaluationError(f"{name} needs {key}.")


def is_number(value: Any) -> bool:
    """Whether YAML has read a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)
