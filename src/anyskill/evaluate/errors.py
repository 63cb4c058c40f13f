"""What can be wrong with an evaluation."""

from anyskill.errors import AnyskillError


class EvaluationError(AnyskillError):
    """A skill or a suite cannot be evaluated as asked; the message names the file, the sentence or the setting."""
