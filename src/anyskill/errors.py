"""The base of every error that is meant for the person at the keyboard."""


class AnyskillError(Exception):
    """Something the user can put right; the message is one sentence: what, where, and what to do.

    Each room derives one type from it. The command line prints the message alone and exits with code 2.
    """
