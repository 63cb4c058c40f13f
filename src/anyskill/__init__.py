"""Type a sentence; a physically simulated humanoid learns to do it."""

__version__ = "0.1.0"
