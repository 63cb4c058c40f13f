"""``anyskill``: the entry point. Errors meant for people are one sentence on stderr and exit code 2."""

import os
import sys
from collections.abc import Callable, Sequence

import tyro

import anyskill
from anyskill.errors import AnyskillError

VERBS: dict[str, Callable[..., None]] = {}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; ``arguments`` defaults to the process's own."""
    try:
        tyro.extras.subcommand_cli_from_dict(VERBS, prog="anyskill", args=arguments, description=anyskill.__doc__)
    except AnyskillError as error:
        print(f"anyskill: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has gone, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
