from pathlib import Path

import pytest
import torch

from anyskill.body.state import BodyState
from anyskill.vision_language.bodyclip import evaluation
from anyskill.vision_language.bodyclip.evaluation import (
    caption_figures,
    label_figures,
    movement_figures,
    places_of,
    read_manifest,
    recall,
    speed_figures,
    summary,
)
from anyskill.vision_language.bodyclip.model import Bank, BodyClip
from anyskill.vision_language.bodyclip.shards import Shards
from anyskill.vision_language.bodyclip.towers import Towers
from anyskill.vision_language.model import VisionLanguageError
from tests.vision_language.bodyclip.made_up import TINY, WORDS


class Oracle(BodyClip):
    """Knows the sentences by heart: text number i belongs to picture number i."""

    def __init__(self, lies: bool = False) -> None:
        towers = Towers(TINY, len(WORDS), WORDS.buckets, torch.Generator().manual_seed(0))
        super().__init__(towers, TINY, WORDS, Bank(torch.zeros(0, 32), 0.0))
        self.calls = 0
        self.lies = lies

    def encode_images(self, pictures: torch.Tensor, interval: float = 0.2) -> torch.Tensor:
        return torch.eye(128)[: len(pictures)]

    def encode_states(self, states: BodyState, interval: float = 0.2) -> torch.Tensor:
        return torch.eye(128)[: len(states.positions)]

    def encode_texts(self, texts: object) -> torch.Tensor:
        self.calls += 1
        true = self.calls % 2 == 1
        features = torch.eye(128)[: len(texts)]  # type: ignore[arg-type]
        return -features if true == self.lies else features * (1.0 if true else 0.5)


def test_recall() -> None:
    scores = torch.tensor([[0.9, 0.1, 0.2], [0.8, 0.7, 0.9], [0.1, 0.3, 0.2]])
    assert recall(scores, 1) == pytest.approx(1 / 3)
    assert recall(scores, 2) == pytest.approx(2 / 3)
    assert recall(scores, 3) == 1.0
    assert recall(torch.zeros(4, 4), 1) == 0.0, "a model that cannot tell anything finds nothing"


def test_places() -> None:
    scores = torch.tensor([[0.5, 0.9, 0.1], [0.5, 0.5, 0.1]])
    assert places_of(scores, torch.tensor([0, 0])).tolist() == [1, 1]
    assert places_of(scores, torch.tensor([1, 2])).tolist() == [0, 2]


def test_figures_of_one_who_knows_and_one_who_lies(shards: Shards) -> None:
    generator = torch.Generator().manual_seed(0)
    figures = caption_figures(Oracle(), [shards[0]], "picture", generator)
    for who in ("picture", "picture_by_state"):
        assert figures[f"{who}_r1"] == figures[f"{who}_r10"] == figures[f"{who}_true_sentence_wins"] == 1.0
    assert 90 <= (figures["picture_count"] or 0) <= 96
    lies = caption_figures(Oracle(lies=True), [shards[0]], "picture", generator)
    assert lies["picture_r1"] == lies["picture_true_sentence_wins"] == 0.0


def test_no_more_pictures_than_asked_for(shards: Shards, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "RETRIEVED", 30)
    figures = caption_figures(Oracle(), [shards[0]], "picture", torch.Generator().manual_seed(0))
    assert 25 <= (figures["picture_count"] or 0) <= 30


class Mover(Oracle):
    """Looks at movement alone, and likes it; its pictures must not be the same again and again."""

    def encode_images(self, pictures: torch.Tensor, interval: float = 0.2) -> torch.Tensor:
        moves = (pictures != pictures[:, -1:]).flatten(1).any(1)
        return moves[:, None].float()

    def encode_states(self, states: BodyState, interval: float = 0.2) -> torch.Tensor:
        return -states.linear_velocities.abs().amax((1, 2, 3))[:, None]

    def encode_texts(self, texts: object) -> torch.Tensor:
        return torch.ones(len(texts), 1)  # type: ignore[arg-type]


def test_movement_of_one_who_likes_it_and_one_who_does_not(shards: Shards) -> None:
    figures = movement_figures(Mover(), [shards[1]], torch.Generator().manual_seed(0))
    assert (figures["movement_wins"] or 0.0) > 0.95  # an arm that is hidden may move
    assert figures["movement_by_state_wins"] == 0.0
    single = movement_figures(Mover(), [], torch.Generator())
    assert single == {"movement_wins": None, "movement_by_state_wins": None}


class Labeller(Oracle):
    """Every picture looks like the first label to it."""

    def encode_images(self, pictures: torch.Tensor, interval: float = 0.2) -> torch.Tensor:
        return torch.eye(32)[:1].expand(len(pictures), -1)

    def encode_texts(self, texts: object) -> torch.Tensor:
        return torch.eye(32)[: len(texts)]  # type: ignore[arg-type]


def test_labels(shards: Shards, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "MAX_FRAMES", 2)
    labels = {"right arm up": "a first", "left arm up": "b second", "another": "c", "still another": "d"}
    figures = label_figures(Labeller(), shards, labels)
    assert figures == {"label_clips": 2, "labels_top1": 0.5, "labels_top5": 1.0}
    with pytest.raises(VisionLanguageError, match="manifest"):
        label_figures(Labeller(), shards, {"another": "c"})


def test_manifest(tmp_path: Path) -> None:
    path = tmp_path / "MANIFEST.csv"
    path.write_text("file,label,more\nmass/kick.bvh,kick,1\ncmu/01_01.amc,jump,2\n")
    assert read_manifest(path) == {"mass_kick": "kick", "kick": "kick", "cmu_01_01": "jump", "01_01": "jump"}
    path.write_text("name\nx\n")
    with pytest.raises(VisionLanguageError, match="columns file and label"):
        read_manifest(path)
    with pytest.raises(VisionLanguageError, match="cannot be read"):
        read_manifest(tmp_path / "none.csv")


def test_summary() -> None:
    means, spread = summary([{"a": 1.0, "b": None}, {"a": 2.0, "b": None}, {"a": 6.0, "b": None}])
    assert means == {"a": 3.0, "b": None} and spread == {"a": 3.0, "b": None}


def test_speeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "_MEASURED", 0.05)
    towers = Towers(TINY, len(WORDS), WORDS.buckets, torch.Generator().manual_seed(0))
    figures = speed_figures(BodyClip(towers, TINY, WORDS, Bank(torch.zeros(0, 32), 0.0)))
    assert figures.keys() == {"pictures_per_second", "sentences_per_second"}
    assert all(value is not None and value > 50 for value in figures.values())
