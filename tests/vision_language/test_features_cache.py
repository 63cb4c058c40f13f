"""Sentences are encoded once, whatever happens to the files."""

from pathlib import Path

import pytest
import torch

from anyskill.vision_language.features_cache import TextFeatureCache
from anyskill.vision_language.model import load_model


class Encoder:
    """Gives each sentence a feature, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, texts: list[str]) -> torch.Tensor:
        self.asked.append(texts)
        return torch.stack([torch.tensor([float(len(text)), float(sum(map(ord, text)))]) for text in texts])


def test_only_what_is_new_is_encoded() -> None:
    encoder = Encoder()
    first = TextFeatureCache("model a").get(["sit", "jump", "sit"], encoder)
    assert torch.equal(first[0], first[2])
    assert first[1, 0] == 4
    second = TextFeatureCache("model a").get(["jump", "run away"], encoder)
    assert encoder.asked == [["sit", "jump"], ["run away"]]
    assert torch.equal(second[0], first[1])
    TextFeatureCache("model b").get(["jump"], encoder)
    assert encoder.asked[-1] == ["jump"]


def test_damaged_files_are_made_anew(own_cache: Path) -> None:
    encoder = Encoder()
    cache = TextFeatureCache("model")
    whole = cache.get(["sit"], encoder)
    (file,) = own_cache.rglob("*.safetensors")
    for content in (b"", b"garbage", file.read_bytes()[:20]):
        file.write_bytes(content)
        assert torch.equal(cache.get(["sit"], encoder), whole)
    assert len(encoder.asked) == 4
    assert torch.equal(cache.get(["sit"], encoder), whole)
    assert len(encoder.asked) == 4


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("ANYSKILL_CACHE", str(tmp_path / "file"))
    encoder = Encoder()
    cache = TextFeatureCache("model")
    assert torch.equal(cache.get(["sit"], encoder), cache.get(["sit"], encoder))
    assert len(encoder.asked) == 2


def test_odd_sentences(own_cache: Path) -> None:
    texts = ["", "a/../b", "x" * 10_000, "抬起双臂", "\ud800", "Sit", "sit"]
    features = TextFeatureCache("model").get(texts[:4] + texts[5:], Encoder())
    assert len(list(own_cache.rglob("*.safetensors"))) == 6
    assert not torch.equal(features[-1], features[-2])
    assert TextFeatureCache("model").get(["\ud800"], Encoder()).shape == (1, 2)


def test_a_model_does_not_encode_twice(models: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_model(str(models["clip"])).encode_texts(["raise both arms"])
    again = load_model(str(models["clip"]))
    monkeypatch.setattr(again, "_encode_texts", None)
    assert torch.equal(again.encode_texts(["raise both arms"]), first)
