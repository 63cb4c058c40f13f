"""Variants of learning, each a change of the default: the paper's ablations, and ours beside the paper's way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from anyskill.controller.controller import Controller, load_controller
from anyskill.evaluate.ablations import Case, Made, Recipe
from anyskill.evaluate.runs import learning_time
from anyskill.skill.comparison import RandomLatents
from anyskill.skill.learn import learn
from anyskill.skill.parts import usual_features
from anyskill.skill.skill import Skill
from anyskill.skill.summary import FILE as SUMMARY
from anyskill.skill.summary import Summary
from anyskill.skill.task import LearnConfig, Preset, preset

VIDEO_MODEL = "microsoft/xclip-base-patch32"
"""Looks at eight pictures; stands in for the paper's VideoCLIP."""

RANDOM = "random-latents"

Change = Callable[[LearnConfig], LearnConfig]


@dataclass(frozen=True)
class Means:
    """What all variants share."""

    config: LearnConfig
    """That they change; its budget and its source of features stay."""
    vlm: str
    controller: Path | None = None
    """Its file; None is the one that comes with the package."""
    projection: Path | None = None
    """Likewise."""
    device: str = "cpu"

    @classmethod
    def of(
        cls, vlm: str, controller: Path | None = None, projection: Path | None = None, *, device: str, minutes: float
    ) -> "Means":
        """The defaults of ``learn``, with so many minutes for search and PPO together."""
        config = replace(preset("fast", usual_features(vlm, projection)), minutes=minutes)
        return cls(config, vlm, controller, projection, device)


def _alone(config: LearnConfig) -> LearnConfig:
    """The paper's method: PPO from nothing, sentences said limb by limb, early termination, the cosine as reward."""
    return config.without_search()


def _rewarded(name: str) -> Change:
    return lambda config: _alone(config).rewarded(name)


def _best_latent(config: LearnConfig) -> LearnConfig:
    search = replace(config.search_settings, rounds=0, sequences=False, clips=False)
    return replace(config, train=False, search_settings=search)


def _pictures(config: LearnConfig) -> LearnConfig:
    return replace(preset("fast", "pictures"), minutes=config.minutes)


def _preset(name: Preset) -> Change:
    return lambda config: replace(preset(name, config.features), minutes=config.minutes)


VARIANTS: Mapping[str, Change] = {
    "full": _alone,
    "no-early-termination": lambda config: _alone(config).without_early_termination(),
    "no-enhancement": lambda config: replace(_alone(config), enhance=False),
    "video": lambda config: _alone(_pictures(config)).rewarded("video"),
    "vlm-rm": _rewarded("vlm-rm"),
    "clip-s": _rewarded("clip-s"),
    "avgpool": _rewarded("avgpool"),
    "+velocity": _rewarded("+velocity"),
    "search+ppo": lambda config: config,
    "search-only": lambda config: replace(config, train=False),
    "best-latent": _best_latent,
    "pictures": _pictures,
    "paper": _preset("paper"),
    "as-released": _preset("as-released"),
}
"""By name. ``full``, and all that differ from it by one thing, learn as the paper does: by PPO from nothing."""


def recipes(means: Means) -> dict[str, Recipe]:
    """How each variant makes a skill; ``random-latents`` needs no learning."""

    def random_latents(case: Case, folder: Path) -> Made:
        file, device = means.controller, means.device
        controller = load_controller(device) if file is None else Controller.load(file, device)
        return Made(RandomLatents(controller, case.seed), 0.0)

    return {name: _learning(name, means) for name in VARIANTS} | {RANDOM: random_latents}


def _learning(name: str, means: Means) -> Recipe:
    config = VARIANTS[name](means.config)
    if name == "video":
        means = replace(means, vlm=VIDEO_MODEL, projection=None)
    return lambda case, folder: learnt(case.sentence.text, case.seed, folder, replace(means, config=config))


def learnt(text: str | tuple[str, ...], seed: int, folder: Path, means: Means) -> Made:
    """Learn, or load what was learnt before; a run that was stopped goes on with what is left of its minutes.

    Raises:
        KeyboardInterrupt: The person stopped it: what was learnt so far is kept, but is no result.
    """
    spent = 0.0
    if (folder / SUMMARY).exists():
        summary = Summary.read(folder)
        spent = learning_time(summary)
        if summary.similarity.final is not None and not summary.stopped:
            return Made(Skill.load(folder, device=means.device), spent)
    skill = learn(
        text,
        out=folder,
        controller=means.controller,
        vlm=means.vlm,
        projection=means.projection,
        device=means.device,
        config=_with_the_rest(means.config, spent),
        seed=seed,
        progress=False,
    )
    summary = Summary.read(folder)
    if summary.stopped:
        raise KeyboardInterrupt
    return Made(skill, learning_time(summary))


def _with_the_rest(config: LearnConfig, spent: float) -> LearnConfig:
    """The minutes that are left after so many seconds; a moment at least, in which a run finds that it is over."""
    return replace(config, minutes=None if config.minutes is None else max(config.minutes - spent / 60, 0.01))
