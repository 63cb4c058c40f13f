"""``anyskill``: the entry point. Errors meant for people are one sentence on stderr and exit code 2."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Union

import tyro

import anyskill
from anyskill.cli import bodyclip, controller, motions, projection
from anyskill.cli.ablate import ablate
from anyskill.cli.bench import bench
from anyskill.cli.benchmark import benchmark
from anyskill.cli.enhance import corpus, enhance
from anyskill.cli.evaluate import evaluate
from anyskill.cli.learn import learn
from anyskill.cli.play import play
from anyskill.cli.pretrain import pretrain
from anyskill.cli.replay import replay
from anyskill.cli.view import view
from anyskill.errors import AnyskillError

Verb = Callable[..., None]

VERBS: dict[str, Verb | dict[str, Verb]] = {
    "learn": learn,
    "motions": {"import": motions.import_, "check": motions.check, "view": view},
    "pretrain": pretrain,
    "controller": {"report": controller.report, "export": controller.export, "record": controller.record},
    "enhance": enhance,
    "corpus": corpus,
    "bodyclip": {
        "train": bodyclip.train,
        "teacher": bodyclip.teacher,
        "evaluate": bodyclip.evaluate,
        "rank": bodyclip.rank,
        "sheet": bodyclip.sheet,
        "card": bodyclip.card,
    },
    "projection": {"train": projection.train, "audit": projection.audit, "card": projection.card},
    "play": play,
    "evaluate": evaluate,
    "benchmark": benchmark,
    "ablate": ablate,
    "replay": replay,
    "bench": bench,
}
"""Every command; a dictionary is a group, as in ``anyskill motions view``."""

GROUP_HELP = {
    "motions": "Import, check and look at motions.",
    "controller": "Measure a controller, or take one out of a run.",
    "bodyclip": "Train and try our own image-text model of bodies.",
    "projection": "Predict pictures' features from the body's state, and audit the prediction.",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; ``arguments`` defaults to the process's own."""
    try:
        tyro.cli(
            _choice(VERBS),
            prog="anyskill",
            args=arguments,
            description=anyskill.__doc__,
            config=(tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
        )
    except AnyskillError as error:
        print(f"anyskill: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has gone, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:  # a full disk, a folder that may not be written
        where = f"{error.filename}: " if error.filename else ""
        print(f"anyskill: {where}{error.strerror or error}; files that were there are untouched.", file=sys.stderr)
        sys.exit(2)


def _choice(verbs: Mapping[str, Verb | dict[str, Verb]]) -> Any:
    """The type tyro reads as "one of these commands"."""
    options = []
    for name, verb in verbs.items():
        constructor = verb if callable(verb) else _group(verb)
        description = None if callable(verb) else GROUP_HELP[name]
        options.append(Annotated[Any, tyro.conf.subcommand(name, constructor=constructor, description=description)])
    return Union[tuple(options)]  # noqa: UP007 - built from a tuple


def _group(verbs: dict[str, Verb]) -> Callable[..., None]:
    def run(command: Any) -> None:
        del command

    run.__annotations__["command"] = _choice(verbs)
    return run
