import json
from pathlib import Path

import pytest
import torch

from anyskill.text.phrasebook import phrasebook
from anyskill.vision_language.bodyclip import teacher as teacher_module
from anyskill.vision_language.bodyclip.paraphrases import Paraphrases
from anyskill.vision_language.bodyclip.teacher import Lessons, Teacher, meaning_of
from anyskill.vision_language.model import VisionLanguageError

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "raise", "arm", "the", "up", "##ing", "a1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two small layers, as sentence encoders are."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    path = tmp_path_factory.mktemp("teacher")
    (path / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(vocab={word: number for number, word in enumerate(WORDS)}).save_pretrained(path)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(path)
    return path


def test_features_are_means_over_tokens(folder: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    texts = ["raise the arm up", "arm", "the arm"]
    features = Teacher(folder).encode(texts)
    torch.testing.assert_close(features.norm(dim=-1), torch.ones(3))
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    for text, feature in zip(texts, features, strict=True):
        with torch.inference_mode():
            mean = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0)
        torch.testing.assert_close(mean / mean.norm(), feature, atol=1e-5, rtol=0)


def test_lessons_are_of_texts_and_words(folder: Path, tmp_path: Path) -> None:
    lessons = Teacher(folder).lessons(["raise the arm"], ["arm", "kneel", "bravo", "raise the arm"], ["home run"])
    assert {"bravo", "home run"} <= Paraphrases.load().sentences, "never trained on"
    assert "kneel" in phrasebook().descriptions
    assert lessons.texts == ("raise the arm", "arm", "kneel", "raise", "the")
    path = tmp_path / "lessons.safetensors"
    lessons.save(path)
    again = Lessons.load(path)
    assert again.texts == lessons.texts
    torch.testing.assert_close(again.features.float(), lessons.features, atol=1e-3, rtol=0)
    rows, texts, features = again.sample(10, torch.Generator().manual_seed(0))
    assert features.dtype == torch.float32
    for row, text, feature in zip(rows.tolist(), texts, features, strict=True):
        assert again.texts[row] == text and torch.equal(feature, again.features[row].float())


def test_of_wider_texts_those_count_that_resemble_what_is_meant(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    teacher, wider = Teacher(folder), ["the arm up", "up", "arm", "up"]
    meant = teacher.encode(["raise the arm"])
    near, far = sorted(wider[:2], key=lambda text: -float(teacher.encode([text]) @ meant.T))
    monkeypatch.setattr(teacher_module, "_NEAR", float(teacher.encode([near]) @ meant.T) - 1e-4)
    lessons = teacher.lessons(["raise the arm"], ["arm"], wider)
    assert lessons.texts == ("raise the arm", "arm", "raise", "the", near) and far not in lessons.texts
    torch.testing.assert_close(lessons.features, teacher.encode(lessons.texts), atol=1e-5, rtol=0)


def test_where_sentences_are() -> None:
    lessons = Lessons(("a", "b", "c"), torch.zeros(3, 2))
    assert lessons.rows(["c", "a"]).tolist() == [2, 0]
    with pytest.raises(VisionLanguageError, match="lack 'd'; make them anew"):
        lessons.rows(["a", "d"])


def test_a_sentence_means_what_it_resembles() -> None:
    known, meanings, nothing = torch.eye(4)[:3], torch.eye(3)[[0, 1, 1]], torch.eye(3)[2]
    both = torch.nn.functional.normalize(known[0] + known[1], dim=0)
    meant = meaning_of(torch.stack((known[0], known[1], both, torch.eye(4)[3])), known, meanings, nothing)
    torch.testing.assert_close(
        meant, torch.stack((meanings[0], meanings[1], torch.tensor([0.5, 0.5, 0.0]).sqrt(), nothing)), atol=1e-2, rtol=0
    )
    torch.testing.assert_close(meant.norm(dim=-1), torch.ones(4))


def test_no_teacher_and_no_lessons(tmp_path: Path) -> None:
    with pytest.raises(VisionLanguageError, match="no sentence encoder"):
        Teacher(tmp_path)
    path = tmp_path / "lessons.safetensors"
    with pytest.raises(VisionLanguageError, match="no lessons"):
        Lessons.load(path)
    path.write_text(json.dumps({}))
    with pytest.raises(VisionLanguageError, match="no lessons"):
        Lessons.load(path)
    Lessons(("a", "b"), torch.zeros(1, 3)).save(path)
    with pytest.raises(VisionLanguageError, match="2 sentences, 1 features"):
        Lessons.load(path)
