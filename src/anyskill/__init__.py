"""Type a sentence; a physically simulated humanoid learns to do it."""

import os

__version__ = "0.1.0"

# Torch's OpenMP threads would spin while they wait, and take the cores from MuJoCo's: measured, the difference is up to
# a factor of two in simulation and three in training. OpenMP reads this once, when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
