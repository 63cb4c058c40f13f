"""A puppet whose latents raise its arms, and a model that sees nothing but hands: what is best is known."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch.nn.functional import normalize

from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.controller.controller import Controller, ControllerConfig
from anyskill.learning.ppo import PPOConfig
from anyskill.sim.mujoco_cpu import MujocoCpu
from anyskill.skill.environment import EnvironmentConfig, SkillEnvironment
from anyskill.skill.features import FeatureSource, Sentences
from anyskill.skill.search import SearchConfig
from anyskill.skill.starts import StartConfig
from anyskill.skill.task import LearnConfig
from anyskill.skill.termination import EarlyTermination
from anyskill.skill.training import SkillConfig

SKELETON = skeleton_of(HUMANOID)
RIGHT, LEFT = 6, 10  # degrees of freedom: upper arms about +x, which raises them sideways
LATENT = 4
CALM = EnvironmentConfig(
    start=StartConfig(noise=0.0, moving=0.0), termination=EarlyTermination(decreases=None, head_height=0.0)
)


class Puppet(Controller):
    """Targets are linear in z: z₀ raises the right arm, z₁ the left one; the others do nothing."""

    def __init__(self, bank: torch.Tensor | None = None) -> None:
        config = ControllerConfig(units=(8,), latent=LATENT, stride=10, encoder_units=(8,))
        bank = torch.eye(LATENT) if bank is None else bank
        super().__init__(config, bank, tuple(f"clip {i}" for i in range(len(bank))))

    def act(self, state: BodyState, z: torch.Tensor) -> torch.Tensor:
        targets = torch.zeros(len(z), SKELETON.num_dof)
        targets[:, RIGHT], targets[:, LEFT] = -2.8 * z[:, 0], 2.8 * z[:, 1]
        return targets


class Limp(Puppet):
    """Joints are driven to where nobody can stand."""

    def act(self, state: BodyState, z: torch.Tensor) -> torch.Tensor:
        targets = torch.zeros(len(z), SKELETON.num_dof)
        targets[:, [17, 24]] = 2.5
        return targets


def heights(state: BodyState) -> torch.Tensor:
    """Of right and left hand above the neck (m)."""
    hands = [SKELETON.index("right_hand"), SKELETON.index("left_hand")]
    return state.positions[..., hands, 2] - state.positions[..., SKELETON.index("head"), None, 2]


def hands(state: BodyState) -> torch.Tensor:
    """Features of states: the heights of the hands, and a constant."""
    return normalize(torch.nn.functional.pad(2.0 * heights(state), (0, 1), value=1.0), dim=-1)


SOURCE = FeatureSource(hands)
SENTENCES = {
    "raise the right arm": (1.0, -1.0, 0.5),
    "raise the left arm": (-1.0, 1.0, 0.5),
    "raise both arms": (1.0, 1.0, 0.5),
}


def sentences(*texts: str) -> Sentences:
    features = normalize(torch.tensor([SENTENCES[text] for text in texts]), dim=-1)
    return Sentences(texts, features, normalize(torch.tensor([-1.0, -1.0, 0.5]), dim=-1))


class Hands:
    """An image-text model that knows the sentences above, and is never shown a picture."""

    name, dimension, frames, device = "hands", 3, 1, torch.device("cpu")

    def encode_images(self, pictures: torch.Tensor) -> torch.Tensor:
        raise AssertionError("features of states need no pictures")

    def encode_texts(self, texts: Sequence[str]) -> torch.Tensor:
        return normalize(torch.tensor([SENTENCES.get(text, (-1.0, -1.0, 0.5)) for text in texts]), dim=-1)


def environment(
    config: EnvironmentConfig = CALM,
    *,
    worlds: int = 6,
    texts: tuple[str, ...] = ("raise the right arm",),
    controller: Controller | None = None,
    source: FeatureSource = SOURCE,
    seed: int = 0,
) -> SkillEnvironment:
    generator = torch.Generator().manual_seed(seed)
    engine = MujocoCpu(worlds, threads=1)
    return SkillEnvironment(engine, controller or Puppet(), source, sentences(*texts), generator, config)


def tiny() -> SkillConfig:
    """Learns in seconds."""
    return replace(
        SkillConfig(),
        worlds=32,
        horizon=8,
        units=(32,),
        ppo=PPOConfig(learning_rate=3e-3, discount=0.9, epochs=4, minibatch_size=64, kl_target=0.05),
        environment=replace(CALM, episode=60),
    )


def quick(**changes: object) -> LearnConfig:
    """A search and four iterations."""
    search = SearchConfig(decisions=5, tail=1, rounds=1, centres=2, sequences=False, clips=False, start=CALM.start)
    search, skill = replace(search, worlds=8), replace(tiny(), worlds=8)
    return replace(LearnConfig(skill=skill, iterations=4, search_settings=search, episodes=2), **changes)
