"""The summary of a run: there and back, and what is said when it is damaged."""

import json
from pathlib import Path

import pytest

from anyskill.learning.config import to_plain
from anyskill.skill.errors import SkillError
from anyskill.skill.summary import Confidence, Seconds, Similarity, Summary

SUMMARY = Summary(
    text="wave “hi”",
    description="raise the right hand beside the head",
    scorer="bodyclip",
    controller="controller-6",
    reward="cosine",
    device="cpu",
    seed=3,
    command="anyskill learn --resume runs/wave",
    version="0.1.0",
    confidence=Confidence("well", "I know these words well"),
    similarity=Similarity(0.11, 0.42, 0.5, 0.61),
    search={"bank": 0.42, "refined": 0.5},
    iterations=80,
    converged=True,
    seconds=Seconds(3, 9.5, 120.25, 8),
)


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    path = SUMMARY.write(tmp_path / "run")
    assert path == tmp_path / "run" / "summary.json"
    assert Summary.read(tmp_path / "run") == SUMMARY
    plain = json.loads(path.read_text("utf-8"))
    assert plain["similarity"] == {"random": 0.11, "best_latent": 0.42, "search": 0.5, "final": 0.61}
    assert plain["confidence"]["level"] == "well"
    assert "“hi”" in path.read_text("utf-8")


def test_what_is_not_known_yet_stays_away(tmp_path: Path) -> None:
    early = Summary("sit", "sit", "clip", "mine.safetensors", "vlm-rm", "cuda", 0, "anyskill learn", "0.1.0")
    early.write(tmp_path)
    back = Summary.read(tmp_path)
    assert back == early
    assert back.confidence is None and back.similarity.final is None and back.seconds.training == 0


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "there is no summary.json"),
        ("{", "cannot be read"),
        ("[]", "it is no mapping"),
        ('{"text": "sit"}', "description is missing"),
        (json.dumps({"txt": "sit"}), "txt is not a setting"),
        (json.dumps(to_plain(SUMMARY) | {"seed": "three"}), "seed is 'three'"),
        (json.dumps(to_plain(SUMMARY) | {"confidence": {"level": "fully", "sentence": ""}}), "one of well, partly"),
    ],
)
def test_damage_is_told(tmp_path: Path, content: str | None, complaint: str) -> None:
    if content is not None:
        (tmp_path / "summary.json").write_text(content)
    with pytest.raises(SkillError, match=complaint):
        Summary.read(tmp_path)
