"""Benchmark of learning a skill: control steps a second, all in, and where the time goes."""

from collections.abc import Iterator
from dataclasses import replace

import torch

from anyskill.bench import Case
from anyskill.controller.controller import load_controller
from anyskill.learning.bench import trainer_cases
from anyskill.sim.bench import bare_control
from anyskill.sim.engine import make_engine
from anyskill.skill.environment import CONTROLS
from anyskill.skill.features import FeatureSource, Sentences
from anyskill.skill.task import Preset, preset
from anyskill.skill.training import SkillTraining
from anyskill.vision_language.model import BODYCLIP, load_model
from anyskill.vision_language.projection import load_projection

SECONDS = 20.0
"""Of each rate: an iteration takes some."""
PRESETS: tuple[Preset, ...] = ("fast", "paper")


def cases(quick: bool) -> list[Case]:
    """Control steps a second of whole iterations of PPO, as ``anyskill learn`` does them and by the paper's recipe.

    The reference on the CPU is MuJoCo's batch with nothing around it, on the same number of worlds.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return [case for name in PRESETS for case in _cases(name, device, quick)]


def _cases(name: Preset, device: str, quick: bool) -> Iterator[Case]:
    config = preset(name).skill
    if quick:
        config = replace(config, worlds=64, horizon=2, ppo=replace(config.ppo, minibatch_size=64))

    def make() -> SkillTraining:
        model = load_model(BODYCLIP, device)
        source = FeatureSource.projection(load_projection(model))
        sentences = Sentences.encode(model, ["raise both arms"])
        return SkillTraining(config, make_engine(config.worlds, device), load_controller(device), source, sentences)

    reference = bare_control(config.worlds) if device == "cpu" else None
    phases = ("policy", "world", "update")
    yield from trainer_cases(name, make, phases, reference, unit="control steps/s", per_sample=CONTROLS)
