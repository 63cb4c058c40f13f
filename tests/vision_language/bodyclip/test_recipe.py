import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from anyskill.motion.formats.clip_npz import save_clip
from anyskill.vision_language.bodyclip import recipe as recipe_module
from anyskill.vision_language.bodyclip.batches import random_batch
from anyskill.vision_language.bodyclip.claims import Claims
from anyskill.vision_language.bodyclip.model import Bank, BodyClip
from anyskill.vision_language.bodyclip.moments import all_labels
from anyskill.vision_language.bodyclip.recipe import BodyClipRecipe, export, generated_texts, take_over, written_texts
from anyskill.vision_language.bodyclip.settings import TrainingConfig
from anyskill.vision_language.bodyclip.shards import Shards, ShardsConfig
from anyskill.vision_language.bodyclip.tokenizer import Tokenizer
from anyskill.vision_language.bodyclip.towers import Towers
from anyskill.vision_language.model import VisionLanguageError
from tests.controller.made_up import arm_clip
from tests.vision_language.bodyclip.made_up import TINY, WORDS, moments, tiny_training

SHARDS = ShardsConfig(shards=1, test_shards=1, moments=48, frames=(1,), held_out=("left_arm",), worlds=48)


@pytest.fixture
def motions(tmp_path: Path) -> Path:
    save_clip(arm_clip("right arm", 7, -2.8), tmp_path / "right_arm.npz")
    save_clip(arm_clip("left arm", 11, -2.8), tmp_path / "left_arm.npz")
    path = tmp_path / "motions.yaml"
    path.write_text(yaml.safe_dump({"motions": [{"file": "right_arm.npz"}, {"file": "left_arm.npz"}]}))
    return path


def _recipe(folder: Path, motions: Path, iterations: int) -> BodyClipRecipe:
    config = TrainingConfig(
        state_iterations=1, sentence_iterations=1, picture_iterations=iterations - 2, state_batch=12, batch=12,
        synonyms=4, warm_up=0, bf16=False, towers=TINY, seed=1,
    )  # fmt: skip
    return BodyClipRecipe(folder, [motions], SHARDS, config, progress=False)


def test_from_motions_to_a_model_and_nothing_twice(
    motions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe_module, "_READ", 512)
    monkeypatch.setattr(recipe_module, "_BANK", 128)
    folder = tmp_path / "run"
    recipe = _recipe(folder, motions, 3)
    assert recipe.run()
    model = BodyClip.load(recipe.model_path)
    assert model.bank.features.shape[0] >= 128 and 0.0 < model.bank.usual <= 1.0
    words = json.loads((folder / "vocabulary.json").read_text("utf-8"))
    assert {"arm", "right", "left"} <= set(words) and len(words) > 500
    made = {path: path.stat().st_mtime_ns for path in (folder / "pictures").iterdir()}
    assert len(made) == 2
    first = recipe.model_path.read_bytes()
    assert _recipe(folder, motions, 3).run()
    assert made == {path: path.stat().st_mtime_ns for path in (folder / "pictures").iterdir()}
    assert recipe.model_path.read_bytes() == first
    with pytest.raises(VisionLanguageError, match="other settings"):
        _recipe(folder, motions, 4).run()
    lines = (folder / "training" / "metrics.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["iteration"] for line in lines] == [1, 2, 3]


def test_a_run_may_begin_with_a_model(motions: Path, tmp_path: Path) -> None:
    words = Tokenizer(WORDS.vocabulary)
    towers = Towers(TINY, len(words), words.buckets, torch.Generator().manual_seed(5))
    path = tmp_path / "start.safetensors"
    BodyClip(towers, TINY, words, Bank(torch.eye(32)[:2], 0.9)).save(path)
    still = replace(_recipe(tmp_path, motions, 3).config, learning_rate=0.0)
    recipe = BodyClipRecipe(tmp_path / "run", [motions], SHARDS, still, start=path, progress=False)
    assert recipe.run()
    model = BodyClip.load(recipe.model_path)
    assert model.tokenizer.vocabulary == WORDS.vocabulary
    for name, weight in model.towers.named_parameters():
        assert torch.equal(weight, towers.state_dict()[name].half().float()), name
    path.unlink()  # the run has a copy
    assert recipe.run()


def test_the_image_tower_may_be_trained_alone(motions: Path, tmp_path: Path) -> None:
    first = _recipe(tmp_path / "first", motions, 3)
    assert first.run()
    start = BodyClip.load(first.model_path)
    assert start.towers.text.shift.any()
    alone = replace(first.config, state_iterations=0, sentence_iterations=0, picture_iterations=2)
    recipe = BodyClipRecipe(tmp_path / "run", [motions], SHARDS, alone, start=first.model_path, progress=False)
    assert recipe.run()
    before, after = (model.towers.state_dict() for model in (start, BodyClip.load(recipe.model_path)))
    changed = {name.split(".")[0] for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == {"picture"}, "sentences stay as they are, shift and all"


def test_a_model_of_other_sizes_is_no_beginning(shards: Shards) -> None:
    config = replace(TINY, state_units=32)
    towers = Towers(config, len(WORDS), WORDS.buckets, torch.Generator().manual_seed(5))
    with pytest.raises(VisionLanguageError, match="cannot begin with this model"):
        take_over(BodyClip(towers, config, WORDS, Bank(torch.eye(32)[:2], 0.9)), tiny_training(shards))


def test_what_has_nothing_in_common_has_a_cosine_of_zero(shards: Shards) -> None:
    training = tiny_training(shards, state_batch=96)
    generator = torch.Generator().manual_seed(7)
    batches = [random_batch(training.moments, training.claims, 96, generator) for _ in range(12)]
    texts = [text for batch in batches for text in batch.texts]
    with torch.no_grad():
        states = torch.cat([training.towers.state(batch.states, batch.interval) for batch in batches])
        training.towers.text.head.bias -= 2 * states.mean(0)  # as training does, apart
        model = export(training)
        assert not training.towers.text.shift.any(), "training goes on as it was"
        before = training.towers.text(WORDS.encode(texts))
    after = model.encode_texts(texts)
    torch.testing.assert_close(after.norm(dim=-1), torch.ones(len(after)))
    assert float((states @ before.T).mean()) < -0.3 < -0.05 < float((states @ after.T).mean()) < 0.05
    again = tiny_training(shards)
    again.begin_with(model)
    assert not again.towers.text.shift.any()


def test_generated_texts_come_in_true_and_false_pairs() -> None:
    sampler = moments()
    claims = Claims(all_labels(sampler.library.labels))
    texts = list(generated_texts(sampler, claims, 100, torch.Generator().manual_seed(0)))
    assert len(texts) >= 100 and len(texts) % 2 == 0
    assert sum(a != b for a, b in zip(texts[::2], texts[1::2], strict=True)) == len(texts) // 2


def test_written_texts(tmp_path: Path) -> None:
    plain = list(written_texts(None))
    assert "kneel" in plain and len(plain) > 600
    line = {"text": "sentence of a corpus", "source": "s", "licence": "l", "id": "1"}
    (tmp_path / "a.jsonl").write_text(json.dumps(line))
    assert list(written_texts(tmp_path)) == [*plain, "sentence of a corpus"]
