"""The errors of simulation."""

from anyskill.errors import AnyskillError


class SimulationError(AnyskillError):
    """The world cannot be built or stepped as asked."""
