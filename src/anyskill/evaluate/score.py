"""How well a skill does what its sentence says: success in new episodes, CLIP-S, and the quality of the motion."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from anyskill.body.humanoid import Character
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.controller.smoothness import smoothness
from anyskill.evaluate.errors import EvaluationError
from anyskill.evaluate.statistics import Share
from anyskill.evaluate.suite import Sentence
from anyskill.evaluate.tests import success
from anyskill.evaluate.track import Track, frames
from anyskill.skill.features import FeatureSource
from anyskill.skill.play import Playable, Played, play
from anyskill.vision_language.model import ImageTextModel
from anyskill.vision_language.picture_features import PictureFeatures, Views
from anyskill.vision_language.similarity import cosine

EPISODES = 64
SECONDS = 5.0
SETTLING = 1.0  # s before the episode proper: what a body was thrown into the world with is not its skill
FRESH = 1_000_003  # added to seeds, so that a skill is not judged in episodes by which it was chosen
VIEWS = Views(count=1, size=224)
"""Pictures for CLIP-S: one camera in front, as in the paper."""
PICTURED = 16  # episodes of which pictures are taken for CLIP-S
MOMENTS = 8  # of each


@dataclass(frozen=True)
class Score:
    """Figures of one sentence; means over episodes."""

    text: str
    episodes: int
    success: float
    """Share of episodes that pass the sentence's geometric test."""
    low: float
    """Of the success's 95 % interval."""
    high: float
    clip_s: float | None
    """100 · cosine of pictures and sentence, by the model the skill was learnt with; None if it was not asked."""
    clip_s_heldout: float | None
    """The same by a model that had no part in learning."""
    fall: float
    """Share of episodes in which the body was down to the neck at some time, which some sentences ask for."""
    jerk: float
    """m/s³, over all bodies."""
    sliding: float
    """Speed of feet on the ground, m/s."""
    penetration: float
    """Greatest depth below the ground in an episode, m."""
    energy: float
    """Mean squared joint velocity, (rad/s)²: engines do not tell torques."""
    seconds: float | None = None
    """Wall time that learning took; None if unknown."""

    @property
    def share(self) -> Share:
        """The success with its interval."""
        return Share(self.success, self.low, self.high)


class PictureScore:
    """CLIP-S by one model: 100 · cosine of the sentence and pictures of evenly spaced moments.

    Args:
        model: Any; it may look at several pictures.
        character: Who is drawn.
    """

    def __init__(self, model: ImageTextModel, character: Character) -> None:
        self._model = model
        self._source = FeatureSource.pictures(PictureFeatures(model, VIEWS, character))

    def __call__(self, states: BodyState, text: str) -> float:
        """The mean over moments and the first episodes of states of batch shape (time, world)."""
        past = self._source.stride * torch.arange(self._source.frames - 1, -1, -1)
        moments = torch.linspace(int(past[0]), states.batch_shape[0] - 1, MOMENTS).round().long()
        seen = states[:, :PICTURED][moments[:, None] - past]  # (moment, frame, world)
        columns = [getattr(seen, name).movedim(2, 1).flatten(0, 1) for name in BodyState.__slots__]
        histories = BodyState(*columns)  # (moment × world, frame)
        features = self._source.function(histories if len(past) > 1 else histories[:, 0])
        return 100 * float(cosine(features, self._model.encode_texts([text])).mean())


def episodes_of(skill: Playable, episodes: int = EPISODES, seconds: float = SECONDS, seed: int = 0) -> Played:
    """New episodes from random starts; the time in which bodies settle is left out, but its falls count.

    Raises:
        EvaluationError: There are no episodes to play, or they are too short.
    """
    if episodes < 1:
        raise EvaluationError(f"episodes is {episodes}; at least one is needed.")
    if seconds < 1:
        raise EvaluationError(f"seconds is {seconds}; an episode must last at least one.")
    device = skill.controller.latents.device
    played = play(skill, episodes, SETTLING + seconds, FRESH + seed, device=device)
    return Played(played.character, played.states[frames(SETTLING) :].to("cpu"), played.fallen.cpu())


def passes(played: Played, sentence: Sentence) -> Bool[Tensor, "world"]:
    """Which episodes pass the sentence's test."""
    return success(Track(played.states, skeleton_of(played.character)), sentence.test, sentence.hold)


def share_of(played: Played, sentence: Sentence) -> Share:
    """How many do."""
    passed = passes(played, sentence)
    return Share.of(int(passed.sum()), len(passed))


def measure(
    played: Played,
    sentence: Sentence,
    *,
    model: PictureScore | None = None,
    heldout: PictureScore | None = None,
    seconds: float | None = None,
) -> Score:
    """All figures of episodes that were played; the arguments are those of ``evaluate``."""
    states, count = played.states, len(played.fallen)
    share = share_of(played, sentence)
    smooth = smoothness(states, torch.full((count,), states.batch_shape[0]), played.character)
    speeds = skeleton_of(played.character).dof_velocities(states.rotations, states.angular_velocities)
    return Score(
        sentence.text,
        count,
        share.success,
        share.low,
        share.high,
        None if model is None else model(states, sentence.text),
        None if heldout is None else heldout(states, sentence.text),
        float(played.fallen.float().mean()),
        float(smooth.jerk.mean()),
        float(smooth.sliding.mean()),
        float(smooth.penetration.mean()),
        float(speeds.square().mean()),
        seconds,
    )


def evaluate(
    skill: Playable,
    sentence: Sentence,
    episodes: int = EPISODES,
    seconds: float = SECONDS,
    seed: int = 0,
    *,
    model: ImageTextModel | None = None,
    heldout: ImageTextModel | None = None,
) -> Score:
    """Play a skill in new episodes and measure what it does.

    Args:
        skill: A ``Skill``, or anything else that follows latents.
        sentence: What it is to do, and its test.
        episodes: How many.
        seconds: How long each is, after a second in which bodies settle.
        seed: Of where they begin.
        model: The one the skill was learnt with, for CLIP-S.
        heldout: Another one.

    Raises:
        EvaluationError: There are no episodes to play, or they are too short.
    """
    character = skill.controller.skeleton.character
    onlookers = [None if each is None else PictureScore(each, character) for each in (model, heldout)]
    return measure(episodes_of(skill, episodes, seconds, seed), sentence, model=onlookers[0], heldout=onlookers[1])
