"""Collections of sentences, in their own formats."""

import json
from pathlib import Path

import pytest
import yaml

from anyskill.text.corpus import Sentence, enhanced_list, load_sentences, read_babel, read_humanml3d, write_list
from anyskill.text.enhance import enhance
from anyskill.text.errors import TextError


def test_jsonl(tmp_path: Path) -> None:
    row = {"text": "wave", "source": "ours", "licence": "MIT", "id": "1"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n\n" + json.dumps({**row, "id": "2", "extra": 1}) + "\n")
    (tmp_path / "notes.txt").write_text("not a corpus")
    assert load_sentences(tmp_path) == [Sentence("wave", "ours", "MIT", "1"), Sentence("wave", "ours", "MIT", "2")]
    assert load_sentences(tmp_path / "absent") == []


@pytest.mark.parametrize(
    "line", ["{", '{"text": "wave"}', '["wave"]', '{"text": 1, "source": "", "licence": "", "id": ""}']
)
def test_broken_lines_are_named(tmp_path: Path, line: str) -> None:
    good = '{"text": "wave", "source": "ours", "licence": "MIT", "id": "1"}\n'
    (tmp_path / "a.jsonl").write_text(good + line)
    with pytest.raises(TextError, match=r"a\.jsonl, line 2"):
        load_sentences(tmp_path)


def test_the_shared_texts(shared_data: Path) -> None:
    sentences = load_sentences(shared_data / "texts")
    assert len(sentences) > 2500
    assert all(sentence.text and sentence.licence for sentence in sentences)


def test_humanml3d(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "000001.txt").write_text(
        "a man  kicks something#a/DET man/NOUN kick/VERB#0.0#0.0\nthe person waves.#the/DET#1.0#2.0\n\n"
    )
    (tmp_path / "texts" / "M000001.txt").write_text("a man kicks something#a/DET#0.0#0.0\n")
    sentences = read_humanml3d(tmp_path)
    assert [(s.text, s.id) for s in sentences] == [
        ("a man kicks something", "000001/1"),
        ("the person waves.", "000001/2"),
        ("a man kicks something", "M000001/1"),
    ]
    with pytest.raises(TextError, match="folder of HumanML3D"):
        read_humanml3d(tmp_path / "texts")


def babel_row() -> dict:
    label = {"raw_label": "walk  forward", "proc_label": "walk", "act_cat": ["walk"]}
    part = {**label, "raw_label": "wave", "start_t": 0, "end_t": 1}
    between = {**label, "raw_label": "transition"}
    return {
        "babel_sid": 1,
        "seq_ann": {"babel_lid": "x", "labels": [label]},
        "frame_ann": {"labels": [part, between]},
    }


def test_babel(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="folder of BABEL"):
        read_babel(tmp_path)
    (tmp_path / "train.json").write_text(json.dumps({"10": babel_row(), "11": {**babel_row(), "frame_ann": None}}))
    extra = {"12": {"seq_anns": [babel_row()["seq_ann"]] * 2, "frame_anns": None}}
    (tmp_path / "extra_val.json").write_text(json.dumps(extra))
    assert [(s.text, s.id) for s in read_babel(tmp_path)] == [
        ("walk forward", "10/seq_ann/0"),
        ("wave", "10/frame_ann/0"),
        ("walk forward", "11/seq_ann/0"),
        ("walk forward", "12/seq_anns/0"),
        ("walk forward", "12/seq_anns/0"),
    ]


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"1": 3}', '{"1": {"seq_ann": {"x": 1}}}', '{"1": {"seq_ann": {"labels": [3]}}}']
)
def test_what_is_not_babel(tmp_path: Path, content: str) -> None:
    (tmp_path / "val.json").write_text(content)
    with pytest.raises(TextError, match=r"val\.json is not in BABEL's form"):
        read_babel(tmp_path)


def test_the_enhanced_list(tmp_path: Path) -> None:
    texts = [
        "wave",
        "A person waves!",
        "say hello",
        "raise both arms overhead",
        "Raise both arms, overhead",
        "",
        "quantum",
    ]
    sentences = [Sentence(text, "corpus", "MIT", str(number)) for number, text in enumerate(texts)]
    entries = enhanced_list(sentences, enhance)
    assert [(entry.text, entry.weight) for entry in entries] == [
        ("raise the right hand beside the head with the right elbow bent", 3),
        ("raise both arms overhead", 2),
    ]
    assert entries[0].sources == ("corpus/0", "corpus/1", "corpus/2")
    assert entries[0].originals == ("wave", "A person waves!", "say hello")
    write_list(entries, tmp_path / "list.yaml")
    rows = yaml.safe_load((tmp_path / "list.yaml").read_text())["texts"]
    assert [row["weight"] for row in rows] == [0.6, 0.4]
    assert rows[1]["originals"] == ["raise both arms overhead", "Raise both arms, overhead"]
