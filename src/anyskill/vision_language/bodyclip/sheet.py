"""A sheet to look at: sentences, each with the pictures that BodyCLIP finds most like it."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from anyskill.files import write_atomically
from anyskill.vision_language.bodyclip.model import BodyClip
from anyskill.vision_language.bodyclip.shards import Shards
from anyskill.vision_language.bodyclip.towers import SIZE
from anyskill.vision_language.model import VisionLanguageError

BEST = 5
"""Pictures of a sentence."""
_COLUMNS = 2  # sentences side by side
_TEXT = 240  # pixels that a sentence may be wide
_GAP = 4


@dataclass(frozen=True)
class Row:
    """A sentence with its best pictures, the best first."""

    sentence: str
    pictures: UInt8[Tensor, "best 112 112 3"]
    cosines: Float[Tensor, "best"]


def read_sentences(path: Path | None = None) -> list[str]:
    """One sentence a line, none of empty lines and of those that begin with #; by default the package's own.

    Raises:
        VisionLanguageError: If the file cannot be read, or has none.
    """
    source = files("anyskill").joinpath("assets", "sheet.txt") if path is None else path
    try:
        lines = [line.strip() for line in source.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise VisionLanguageError(f"{path} cannot be read as text ({error}).") from None
    if sentences := [line for line in lines if line and not line.startswith("#")]:
        return sentences
    raise VisionLanguageError(f"{path} has no sentences; write one a line.")


def best_pictures(model: BodyClip, sentences: Sequence[str], shards: Shards) -> list[Row]:
    """The best of the moments that have most pictures: movement shows in nothing else. Their last picture is kept."""
    longest = max(shard.pictures.shape[1] for shard in shards)
    chosen = [shard for shard in shards if shard.pictures.shape[1] == longest]
    seen = torch.cat([model.encode_images(shard.pictures, shard.interval) for shard in chosen])
    pictures = torch.cat([shard.pictures[:, -1] for shard in chosen])
    cosines, places = (model.encode_texts(sentences) @ seen.T).cpu().topk(min(BEST, len(pictures)), dim=1)
    return [Row(*row) for row in zip(sentences, pictures[places], cosines, strict=True)]


def draw_sheet(rows: Sequence[Row], path: Path) -> None:
    """Write sentences and pictures, with a cosine in each, as PNG."""
    width, height = _TEXT + BEST * (SIZE + _GAP), SIZE + _GAP
    down = -(-len(rows) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * width, down * height), "white")
    pen, font, small = ImageDraw.Draw(sheet), ImageFont.load_default(16), ImageFont.load_default(11)
    for number, row in enumerate(rows):
        left, top = number // down * width, number % down * height
        pen.multiline_text((left + 8, top + 8), _wrapped(row.sentence, font), fill="black", font=font)
        for place, (picture, cosine) in enumerate(zip(row.pictures, row.cosines.tolist(), strict=True)):
            x = left + _TEXT + place * (SIZE + _GAP)
            sheet.paste(Image.fromarray(picture.numpy()), (x, top))
            pen.text((x + 3, top + 2), f"{cosine:.2f}", fill="black", font=small)
    with write_atomically(path) as file:
        sheet.save(file, format="PNG")


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Broken between words into lines that fit."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= _TEXT - 16 or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)
