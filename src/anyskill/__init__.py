"""Type a sentence; a physically simulated humanoid learns to do it."""

import importlib
import os
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Torch's OpenMP threads would spin while they wait, and take the cores from MuJoCo's: measured, the difference is up to
# a factor of two in simulation and three in training. OpenMP reads this once, when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from anyskill.skill.learn import learn as learn
    from anyskill.skill.skill import Skill as Skill

__all__ = ("Skill", "learn")

_HOMES = {"Skill": "anyskill.skill.skill", "learn": "anyskill.skill.learn"}


def __getattr__(name: str) -> Any:
    """What is imported only when it is asked for, since it brings torch along."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
