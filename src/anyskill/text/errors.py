"""What can be wrong with a sentence or with a collection of them."""

from anyskill.errors import AnyskillError


class TextError(AnyskillError):
    """A sentence cannot be used, a corpus cannot be read, or a language model gives no usable answer."""
