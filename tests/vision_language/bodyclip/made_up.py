"""Small data sets and networks that are made and trained in seconds."""

from pathlib import Path

from anyskill.motion.library import MotionLibrary
from anyskill.vision_language.bodyclip.moments import MomentSampler
from anyskill.vision_language.bodyclip.settings import TrainingConfig
from anyskill.vision_language.bodyclip.shards import ShardMaker, Shards, ShardsConfig, missing_shards, moments_of
from anyskill.vision_language.bodyclip.tokenizer import Tokenizer
from anyskill.vision_language.bodyclip.towers import TowersConfig
from anyskill.vision_language.bodyclip.training import BodyClipTraining
from tests.controller.made_up import arm_clip

TINY = TowersConfig(
    dimension=32, channels=(8, 8, 16), width=32, state_units=64, embedding=16, text_width=32, text_layers=1, heads=2
)
WORDS = Tokenizer.of(
    ["raise the right arm above your head and hold the left arm out in front with a bent elbow, knee and hand"],
    100,
    256,
)
SHARDS = ShardsConfig(shards=2, test_shards=1, moments=96, frames=(1, 2), held_out=("left elbow",), worlds=48)


def library() -> MotionLibrary:
    """Arms go up in front, one at a time, and back; the last motion is kept for the test."""
    clips = [arm_clip("right arm up", 7, -2.8), arm_clip("left arm up", 11, -2.8), arm_clip("right elbow", 9, -1.5)]
    return MotionLibrary([*clips, arm_clip("left elbow", 13, -1.5)])


def make_shards(folder: Path) -> None:
    """Two shards to train with, of one and of two pictures, and one for the test."""
    maker = ShardMaker(SHARDS, library(), folder)
    for split, number in missing_shards(SHARDS, folder):
        maker.make(split, number)


def moments() -> MomentSampler:
    """Those to train with."""
    return moments_of("train", library(), SHARDS)


def tiny_training(shards: Shards, **changes: object) -> BodyClipTraining:
    """A trainer of tiny networks in full precision, so that sums do not depend on the machine."""
    settings: dict[str, object] = {
        **{"state_iterations": 50, "sentence_iterations": 50, "picture_iterations": 50, "warm_up": 0},
        **{"state_batch": 48, "batch": 24, "synonyms": 8, "learning_rate": 3e-3, "bf16": False, "towers": TINY},
    }
    return BodyClipTraining(TrainingConfig(**(settings | changes)), moments(), shards, WORDS)  # type: ignore[arg-type]
