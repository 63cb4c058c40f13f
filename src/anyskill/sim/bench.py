"""Benchmark cases of simulation: how much of bare physics is left when everything around it is counted."""

from collections.abc import Callable

import mujoco.batch
import torch

from anyskill.bench import Case
from anyskill.body.model import build_model
from anyskill.body.observation import policy_observation
from anyskill.sim.engine import SUBSTEPS, make_engine

_STEPS = 3  # control steps in a chunk


def cases(quick: bool) -> list[Case]:
    """Physics steps a second of whole control steps: targets in, physics, state, policy observation out.

    The reference on the CPU is MuJoCo's batch stepping the same worlds with nothing around it.
    """
    worlds = 128 if quick else 1024
    found = [Case(f"CPU engine, {worlds} worlds", "steps/s", _all_in("cpu", worlds), reference=bare_physics(worlds))]
    if torch.cuda.is_available():
        sizes = (1024,) if quick else (1024, 4096, 16384)
        found += [Case(f"GPU engine, {size} worlds", "steps/s", _all_in("cuda", size)) for size in sizes]
    return found


def _all_in(device: str, worlds: int) -> Callable[[], float]:
    engine = make_engine(worlds, device)  # outside the clock: a GPU's kernels may be compiled for minutes
    targets = _targets(worlds).to(device)

    def run() -> float:
        for _ in range(_STEPS):
            engine.step(targets)
            policy_observation(engine.state())
        if device == "cuda":
            torch.cuda.synchronize()
        return _STEPS * worlds * SUBSTEPS

    return run


def bare_physics(worlds: int) -> Callable[[], float]:
    """MuJoCo's batch with nothing around it: a function that steps it and says how many physics steps that was."""
    batch: mujoco.batch.Batch | None = None

    def run() -> float:
        nonlocal batch
        if batch is None:
            batch = mujoco.batch.Batch(build_model(), worlds)
            batch.bind("ctrl")[:] = _targets(worlds).numpy()
        for _ in range(_STEPS):
            batch.step(nstep=SUBSTEPS)
        return _STEPS * worlds * SUBSTEPS

    return run


def bare_control(worlds: int) -> Callable[[], float]:
    """The same, counted in control steps."""
    physics = bare_physics(worlds)
    return lambda: physics() / SUBSTEPS


def _targets(worlds: int) -> torch.Tensor:
    """One pose for each world, near the rest pose, so that a mixture of standing, falling and lying is simulated."""
    return 0.3 * torch.randn(worlds, build_model().nu, generator=torch.Generator().manual_seed(0))
