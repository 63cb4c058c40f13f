"""All measures of a controller together, and the bars they are held against."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool
from torch import Tensor

from anyskill.controller.bank import PACE, BankPostures
from anyskill.controller.controller import Controller, ControllerError
from anyskill.controller.held import CLOSE, Held, held
from anyskill.controller.metrics import (
    Calm,
    Coverage,
    LatentQuality,
    Recovery,
    calm,
    coverage,
    latent_quality,
    recovery,
)
from anyskill.controller.play import play
from anyskill.controller.recall import KEPT, Recall, recall
from anyskill.controller.smoothness import Smoothness, smoothness
from anyskill.motion.authored import authored_motions
from anyskill.motion.dataset import Dataset
from anyskill.motion.library import MotionLibrary
from anyskill.sim.engine import make_engine


@dataclass(frozen=True)
class Bar:
    """One figure: what it is called, how it is written, and what it must be."""

    key: str
    title: str
    unit: Literal["%", "×", "cm", ""]
    limit: float | None = None
    """None: there is no bar for it."""
    highest: bool = False
    """Whether the limit is the highest allowed, not the lowest."""

    def holds(self, value: float | None) -> bool | None:
        """Whether a value is as it must be; None if that cannot be told."""
        if value is None or self.limit is None:
            return None
        return value <= self.limit if self.highest else value >= self.limit

    def text(self, value: float | None) -> str:
        """A value as people write it."""
        if value is None:
            return "–"
        match self.unit:
            case "%":
                return f"{100 * value:.0f} %"
            case "cm":
                return f"{100 * value:.1f} cm"
            case "×":
                return f"{value:.2f} ×"
        return f"{value:.2f}"

    @property
    def wanted(self) -> str:
        """The limit as people write it."""
        return "" if self.limit is None else f"{'≤' if self.highest else '≥'} {self.text(self.limit)}"


BARS = (
    Bar("recall", "Recall", "%", 0.8),
    Bar("calm", "Calm", "%", 0.9),
    Bar("coverage", "Coverage", "%", 0.75),
    Bar("entropy", "Entropy", "", 0.7),
    Bar("recovery", "Recovery", "%", 0.8),
    Bar("jerk_ratio", "Jerk", "×", 2.0, highest=True),
    Bar("slide_ratio", "Foot sliding", "×", 2.0, highest=True),
    Bar("penetration", "Penetration", "cm"),
    Bar("retrieval", "Retrieval", "%"),
    Bar("travel", "Travel", "%"),
    Bar("lively", "Lively", "%"),
    Bar("held", "Held", "%"),
)


@dataclass(frozen=True)
class Report:
    """What was measured."""

    names: tuple[str, ...]
    """Of the clips."""
    captured: Bool[Tensor, "clip"]
    """Clips that are motion capture. Those authored by hand are smoother than any body, and their feet never slide."""
    recall: Recall
    played: Recall
    """The same with latents six times a second, as skills play clips."""
    calm: Calm
    coverage: Coverage
    recovery: Recovery
    quality: LatentQuality
    held: Held
    done: Smoothness
    """Of what the controller did in ``recall``."""
    wanted: Smoothness
    """Of the clips over the same frames."""
    worlds: int
    """Simulated side by side for calm, coverage and recovery."""

    def figures(self) -> dict[str, float | None]:
        """The figures of ``BARS`` by their keys; None where there is nothing to compare with."""
        return {
            "recall": self.recall.share,
            "calm": self.calm.share,
            "coverage": self.coverage.share,
            "entropy": self.coverage.entropy,
            "recovery": self.recovery.share,
            "jerk_ratio": self._ratio(self.done.jerk, self.wanted.jerk),
            "slide_ratio": self._ratio(self.done.sliding, self.wanted.sliding),
            "penetration": float(self.done.penetration.mean()),
            "retrieval": self.quality.retrieval,
            "travel": self.recall.travel,
            "lively": self.played.lively,
            "held": self.held.share,
        }

    def details(self) -> dict[str, str]:
        """What stands behind the figures, a short sentence each."""
        recalled, own, mocap = self.recall, self.done, self.wanted
        close = float((recalled.worst <= KEPT).float().mean())
        count = int(self._compared.sum())

        def means(values: Tensor, reference: Tensor, form: str, unit: str) -> str:
            if not count:
                return "of motion capture that is recalled: there is none"
            own, theirs = values[self._compared].mean(), reference[self._compared].mean()
            return f"{own:{form}} {unit}, the clips' own {theirs:{form}}; over {count} captured clips that it does"

        return {
            "recall": f"clips with a mean body error up to {100 * KEPT:.0f} cm, "
            f"of {len(self.names)}; {100 * close:.0f} % if the body that is furthest off counts",
            "calm": "random latents for ten seconds without a fall; "
            f"{100 * self.calm.on_feet:.0f} % are never on the ground, latents that lie, sit or kneel included",
            "coverage": "clips that motion under random latents comes nearest to",
            "entropy": "of how often each clip is nearest; 1 is equally often",
            "recovery": "stand again within five seconds of lying; "
            + (
                f"half do after {self.recovery.seconds:.1f} s"
                if self.recovery.seconds < float("inf")
                else "fewer than half ever do"
            ),
            "jerk_ratio": means(own.jerk, mocap.jerk, ".0f", "m/s³"),
            "slide_ratio": means(own.sliding, mocap.sliding, ".3f", "m/s"),
            "penetration": "deepest point below the ground, mean over clips; the clips' own is "
            f"{100 * mocap.penetration.mean():.1f} cm",
            "retrieval": "windows nearest to their own clip in latent space; "
            f"uniformity {self.quality.uniformity:.2f} (−4 is even)",
            "travel": "of their way, made by clips that go somewhere; recall alone cannot tell walking from standing",
            "lively": "of its speed, made by the body that moves most in a clip that is played latent by latent; mean "
            "over clips in which one does",
            "held": f"held for five seconds, so many bring who stands within {100 * CLOSE:.0f} cm of what they show; "
            f"{100 * float(self.held.fallen.float().mean()):.0f} % make it fall",
        }

    @property
    def _compared(self) -> Bool[Tensor, "clip"]:
        """Clips whose smoothness counts: one who lies on the ground instead of running is smooth for a bad reason."""
        return self.captured & self.recall.kept.cpu()

    def _ratio(self, values: Tensor, reference: Tensor) -> float | None:
        own, theirs = values[self._compared].sum(), reference[self._compared].sum()
        return float(own / theirs) if theirs > 0 else None


def authored_dataset() -> Dataset:
    """The motions that come with this package, as a data set."""
    return Dataset(authored_motions(), "category")


def measure(
    controller: Controller,
    library: MotionLibrary,
    *,
    worlds: int = 256,
    seed: int = 0,
    tell: Callable[[str], None] = lambda step: None,
) -> Report:
    """Measure a controller on motions, on the device where the library is.

    Args:
        controller: On the same device.
        library: Motions to recall, to cover, and to tell what latents of the bank are for.
        worlds: Simulated side by side under random latents.
        seed: Of everything random.
        tell: Is told what comes next.

    Raises:
        ControllerError: The motions are of another character than the controller's.
    """
    character = library.skeleton.character
    if controller.config.character != character.name:
        raise ControllerError(
            f"the controller moves the {controller.config.character}, but the motions are of the {character.name}; "
            "give motions of the same character."
        )
    draws = torch.Generator().manual_seed(seed)
    tell("recall")
    one_each = make_engine(len(library), library.device, character)
    recalled, stepwise = recall(controller, one_each, library), recall(controller, one_each, library, every=PACE)
    tell("smoothness")
    own, theirs = (smoothness(states, recalled.lengths, character) for states in (recalled.done, recalled.wanted))
    tell("calm")
    engine = make_engine(worlds, library.device, character)
    postures = BankPostures.of(controller, library)
    played = play(controller, engine, draws)
    tell("coverage")
    covered = coverage(played, library)
    tell("recovery")
    recovered = recovery(controller, engine, draws, postures)
    tell("retrieval")
    quality = latent_quality(controller, library, torch.Generator(library.device).manual_seed(seed))
    tell("held")
    kept = held(controller, library)
    authored = {motion.clip.name for motion in authored_motions()}
    return Report(
        library.names,
        torch.tensor([name not in authored for name in library.names]),
        recalled,
        stepwise,
        calm(played, library.skeleton, postures),
        covered,
        recovered,
        quality,
        kept,
        own,
        theirs,
        worlds,
    )
