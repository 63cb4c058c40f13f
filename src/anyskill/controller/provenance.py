"""Where a run's motions came from: ``motions.json`` beside its settings, so that they are found again."""

import json
from dataclasses import dataclass
from pathlib import Path

from anyskill.controller.controller import ControllerError
from anyskill.files import write_atomically
from anyskill.motion.library import MotionLibrary

FILE = "motions.json"


@dataclass(frozen=True)
class Provenance:
    """The data set of one run."""

    dataset: Path
    """Its YAML file."""
    clips: tuple[str, ...]
    """Names of its clips, in order: places in replay buffers count on it."""

    @classmethod
    def of(cls, dataset: Path, library: MotionLibrary) -> "Provenance":
        """Of a library that was read from a file."""
        return cls(dataset.resolve(), library.names)

    @classmethod
    def read(cls, run: Path) -> "Provenance | None":
        """What a run has recorded; None where nothing is recorded.

        Raises:
            ControllerError: The record cannot be read.
        """
        file = run / FILE
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            return cls(Path(content["dataset"]), tuple(content["clips"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            raise ControllerError(f"{file} is damaged; delete it, and name the data set yourself.") from None

    def write(self, run: Path) -> None:
        """Record it in a run's folder."""
        content = {"dataset": str(self.dataset), "clips": self.clips}
        with write_atomically(run / FILE) as file:
            file.write(json.dumps(content, indent=1).encode())

    def difference(self, other: "Provenance") -> str | None:
        """What the clips of another data set are beside these, in words; None if they are the same."""
        if self.clips == other.clips:
            return None
        new, gone = len(set(other.clips) - set(self.clips)), len(set(self.clips) - set(other.clips))
        return f"{new} new, {gone} gone" if new or gone else "in another order"

    def library(self, device: str = "cpu") -> MotionLibrary:
        """The motions, read again.

        Raises:
            ControllerError: The data set has moved.
            MotionError: It is wrong.
        """
        if not self.dataset.is_file():
            raise ControllerError(
                f"the run was trained on {self.dataset}, which is not there any more; say where with --motions FILE."
            )
        return MotionLibrary.load(self.dataset, device)
