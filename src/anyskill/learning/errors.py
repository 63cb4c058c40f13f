"""What can be wrong with a training run."""

from anyskill.errors import AnyskillError


class LearningError(AnyskillError):
    """Training cannot start or go on; the message names the setting or the tensor at fault."""


class CheckpointError(LearningError):
    """A state file or a run folder cannot be used as it is; the message names the file."""


class DamagedFileError(CheckpointError):
    """A state file is cut short or altered."""
