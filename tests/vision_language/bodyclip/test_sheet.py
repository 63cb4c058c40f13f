from pathlib import Path

import pytest
import torch
from PIL import Image

from anyskill.cli.bodyclip import sheet
from anyskill.vision_language.bodyclip.model import Bank, BodyClip
from anyskill.vision_language.bodyclip.shards import Shards
from anyskill.vision_language.bodyclip.sheet import BEST, Row, best_pictures, draw_sheet, read_sentences
from anyskill.vision_language.bodyclip.towers import Towers
from anyskill.vision_language.model import VisionLanguageError
from tests.vision_language.bodyclip.made_up import TINY, WORDS
from tests.vision_language.bodyclip.test_evaluation import Oracle


class FirstFirst(Oracle):
    """Every sentence means the first picture most, and the others less and less."""

    def encode_images(self, pictures: torch.Tensor, interval: float = 0.2) -> torch.Tensor:
        return torch.linspace(1, 0, len(pictures))[:, None]

    def encode_texts(self, texts: object) -> torch.Tensor:
        return torch.ones(len(texts), 1)  # type: ignore[arg-type]


def test_the_best_pictures_come_first(shards: Shards) -> None:
    rows = best_pictures(FirstFirst(), ["walk", "run"], shards)
    moving = shards[1].pictures
    assert [row.sentence for row in rows] == ["walk", "run"]
    assert moving.shape[1] == 2 and torch.equal(rows[1].pictures, moving[:BEST, -1])
    assert rows[0].cosines[0] == 1 and (rows[0].cosines.diff() < 0).all()


def test_the_sheet_shows_them(tmp_path: Path) -> None:
    colors = torch.arange(3 * BEST, dtype=torch.uint8).view(3, BEST, 1, 1, 1).expand(-1, -1, 112, 112, 3) * 10
    long = "a sentence that is far too long to be written beside its pictures in one line of text"
    rows = [Row(text, colors[n], torch.ones(BEST)) for n, text in enumerate((long, "wave", "x" * 80))]
    draw_sheet(rows, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as drawn:
        assert drawn.size == (2 * (240 + BEST * 116), 2 * 116)
        assert drawn.getpixel((300, 60)) == (0, 0, 0)
        assert drawn.getpixel((240 + 4 * 116 + 50, 116 + 60)) == (90, 90, 90)
        assert drawn.getpixel((1060 - 240 + 240 + 50, 60)) == (100, 100, 100)
        ink = drawn.crop((0, 0, 236, 112)).convert("L").point(lambda grey: 255 if grey < 128 else 0)
        assert ink.getbbox()[3] > 60, "a long sentence takes several lines"


def test_the_command_line(shards_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    towers = Towers(TINY, len(WORDS), WORDS.buckets, torch.Generator().manual_seed(0))
    model, out, sentences = tmp_path / "model.safetensors", tmp_path / "sheet.png", tmp_path / "own.txt"
    BodyClip(towers, TINY, WORDS, Bank(torch.eye(32)[:2], 0.9)).save(model)
    sentences.write_text("raise the right arm\nhold the left arm out\nbend a knee\n")
    sheet(shards_folder, out, sentences, model)
    assert capsys.readouterr().out == f"{out}\n"
    with Image.open(out) as drawn:
        assert drawn.size == (1640, 232)


def test_sentences(tmp_path: Path) -> None:
    assert len(read_sentences()) == len(set(read_sentences())) == 40
    path = tmp_path / "own.txt"
    path.write_text("# mine\n\nwave \n run\n", encoding="utf-8")
    assert read_sentences(path) == ["wave", "run"]
    path.write_text("\n")
    with pytest.raises(VisionLanguageError, match=r"own\.txt has no sentences"):
        read_sentences(path)
    with pytest.raises(VisionLanguageError, match="cannot be read as text"):
        read_sentences(tmp_path / "none.txt")
