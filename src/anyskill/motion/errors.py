"""What can be wrong with a motion."""

from anyskill.errors import AnyskillError


class MotionError(AnyskillError):
    """A clip, a data set or a keyframe text cannot be used as it is."""


class MotionFormatError(MotionError):
    """A motion file cannot be read; the message names the file and the place in it."""
