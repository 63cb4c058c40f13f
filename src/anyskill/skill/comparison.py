"""Which is better: random latents, the best one of the bank, what the search found, or what was learnt?"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill.body.state import BodyState
from anyskill.controller.controller import Controller
from anyskill.learning.seeding import Streams
from anyskill.skill.environment import CONTROLS
from anyskill.skill.features import FeatureSource, Onlooker
from anyskill.skill.play import Playable, play
from anyskill.skill.rewards import RewardConfig, nearest, style
from anyskill.skill.starts import StartConfig
from anyskill.skill.termination import LYING
from anyskill.vision_language.similarity import cosine

SECONDS = 4.0  # of an episode; its second half is judged


class RandomLatents:
    """Follows a latent of the bank in each world, drawn evenly at the start and held."""

    def __init__(self, controller: Controller, seed: int) -> None:
        self.controller = controller
        self._generator = Streams(seed, controller.latents.device)("random latents")
        self._held: Tensor | None = None

    def policy(self, state: BodyState, decision: int) -> Float[Tensor, "world latent"]:
        """See ``Playable``."""
        if self._held is None or decision == 0:
            bank, device = self.controller.latents, self._generator.device
            drawn = torch.randint(len(bank), tuple(state.batch_shape), generator=self._generator, device=device)
            self._held = bank[drawn]
        return self._held


@dataclass(frozen=True)
class Judgement:
    """How episodes went."""

    similarity: float
    """Mean cosine with the sentence over worlds and decisions of the second half."""
    lying: float
    """Share of worlds and decisions there that were down to the neck."""
    style: float
    """Mean closeness there of the latents and the nearest of all clips (Eq. 3); 1 of what moves as clips do."""

    def score(self, reward: RewardConfig, lying_penalty: float) -> float:
        """By which the better of two is kept: what training pays for, less what the search takes off for lying."""
        paid = reward.similarity_weight * self.similarity + reward.style_weight * self.style
        return paid - lying_penalty * self.lying


def judge(
    contestant: Playable,
    source: FeatureSource,
    text: Float[Tensor, "d"],
    worlds: int,
    seed: int,
    start: StartConfig | None = None,
) -> Judgement:
    """Play new episodes; with one seed, all contestants begin them in the same states.

    Args:
        contestant: Follows latents.
        source: Image features of states.
        text: Feature of the sentence.
        worlds: How many episodes.
        seed: Of where they begin.
        start: Settings of that.
    """
    played = play(contestant, worlds, SECONDS, seed, start=start, device=text.device)
    steps = len(played.states.positions)
    onlooker = Onlooker(source, played.states[0])
    similarities, lying, styles = [], [], []
    known = contestant.controller.known
    for step in range(steps):
        state = played.states[step]
        if step >= steps // 2 and step % CONTROLS == 0:
            z = contestant.policy(played.states[step - 1], step // CONTROLS)
            styles.append(style(z, nearest(z, known)).mean())
        onlooker.watch(state, torch.full_like(played.fallen, step == 0))
        if step >= steps // 2 and step % CONTROLS == CONTROLS - 1:
            similarities.append(cosine(onlooker.feature(), text).mean())
            lying.append(LYING(state, contestant.controller.skeleton).float().mean())
    return Judgement(*(float(torch.stack(values).mean()) for values in (similarities, lying, styles)))
