"""``BodyClip``: the built-in image-text model, as ``ImageTextModel`` and as a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from anyskill.body.state import BodyState
from anyskill.learning.config import from_plain, to_plain
from anyskill.learning.errors import LearningError
from anyskill.learning.precision import has_bfloat16
from anyskill.learning.state import read_state, write_state
from anyskill.vision_language.bodyclip.tokenizer import Tokenizer
from anyskill.vision_language.bodyclip.towers import MAX_FRAMES, SIZE, Towers, TowersConfig, encode_in_groups
from anyskill.vision_language.model import BODYCLIP, VisionLanguageError
from anyskill.vision_language.preprocessing import Preprocessing

INTERVAL = 0.2
"""Seconds between two pictures, unless told otherwise; it was trained on 0.1 to 0.3."""
_CHUNK = 256  # pictures encoded at once
_FIT = Preprocessing(SIZE, (SIZE, SIZE), "bilinear", 1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
_MIDDLE, _SPREAD = 178.0, 51.0  # of the brightness of our pictures

Verdict = Literal["well", "partly", "hardly"]


@dataclass(frozen=True)
class Familiarity:
    """How well BodyCLIP knows the words of a sentence."""

    known: float
    """Share of the words that it was trained on."""
    nearest: float
    """Largest cosine to a sentence it was trained on, less that to what says nothing of bodies."""
    verdict: Verdict

    def __str__(self) -> str:
        advice = ": rephrase, or use CLIP" if self.verdict == "hardly" else ""
        return f"I know these words {self.verdict}{advice}"


@dataclass(frozen=True)
class Bank:
    """Sentences of the training, to compare new ones with."""

    features: Float[Tensor, "sentence d"]
    """Less the direction in which sentences lie that say nothing of bodies."""
    usual: float
    """Nine of ten new sentences of the training's kind are at least so near to one of the bank."""


class BodyClip:
    """Our own image-text model of simulated bodies; ``load_bodyclip`` gives the one that is shipped.

    It looks at one to four pictures together. Features of pictures and of states are points of the same space.
    """

    name = BODYCLIP
    frames = MAX_FRAMES

    def __init__(self, towers: Towers, config: TowersConfig, tokenizer: Tokenizer, bank: Bank) -> None:
        self.towers, self.config, self.tokenizer, self.bank = towers.eval(), config, tokenizer, bank

    @property
    def dimension(self) -> int:
        """Length of a feature."""
        return self.config.dimension

    @property
    def device(self) -> torch.device:
        """Where it computes, and where features lie."""
        return self.towers.log_scale.device

    @torch.inference_mode()
    def encode_images(
        self, pictures: UInt8[Tensor, "n *frames height width 3"], interval: float = INTERVAL
    ) -> Float[Tensor, "n d"]:
        """Features of single pictures, or of one to four each, oldest first and ``interval`` seconds apart.

        Pictures of any size are cut to a square about their middle and resized.

        Raises:
            VisionLanguageError: If shape or type are not these.
        """
        shape = tuple(pictures.shape)
        good = len(shape) in (4, 5) and shape[-1] == 3 and min(shape[-3:-1]) > 0 and pictures.dtype == torch.uint8
        if not good or (len(shape) == 5 and not 1 <= shape[1] <= MAX_FRAMES):
            kind = str(pictures.dtype).removeprefix("torch.")
            raise VisionLanguageError(
                "bodyclip takes uint8 pictures of shape (n, height, width, 3), or (n, frames, height, width, 3) with 1 "
                f"to {MAX_FRAMES} frames, but was given {kind} of shape {shape}."
            )
        if len(shape) == 4:
            pictures = pictures[:, None]
        features, fast = [torch.zeros(0, self.dimension, device=self.device)], has_bfloat16(self.device)
        for start in range(0, len(pictures), step := _CHUNK // pictures.shape[1]):
            planes = planes_of(
                pictures[start : start + step].to(self.device), torch.bfloat16 if fast else torch.float32
            )
            with torch.autocast(self.device.type, torch.bfloat16, enabled=fast):
                features.append(self.towers.picture(planes, interval))
        return torch.cat(features)

    @torch.inference_mode()
    def encode_texts(self, texts: Sequence[str]) -> Float[Tensor, "n d"]:
        """Features of sentences; words beyond the 64th are cut off."""
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise VisionLanguageError("encode_texts takes a list of sentences.")
        if not texts:
            return torch.zeros(0, self.dimension, device=self.device)
        return encode_in_groups(self.towers.text, self.tokenizer, texts, self.device)

    @torch.no_grad()
    def encode_states(self, states: BodyState, interval: float = INTERVAL) -> Float[Tensor, "n d"]:
        """Features of states ``(n,)`` as of single pictures, or of histories ``(n, moment)``, oldest first."""
        if len(states.batch_shape) == 1:
            states = states[:, None]
        return self.towers.state(states.to(self.device).to(torch.float32), interval)

    def familiarity(self, texts: Sequence[str]) -> list[Familiarity]:
        """How well it knows each sentence: whether it has met the words, and anything that means about the same."""
        if not texts:
            return []
        nearest = (self.encode_texts(texts) @ self.bank.features.T).amax(1).tolist()
        return [
            Familiarity(known, near, _verdict(known, near, self.bank.usual))
            for known, near in zip(map(self.tokenizer.known_share, texts), nearest, strict=True)
        ]

    def save(self, path: Path) -> None:
        """Write it as one file, numbers in half precision."""
        state = {
            "kind": BODYCLIP,
            "towers": to_plain(self.config),
            "vocabulary": list(self.tokenizer.vocabulary),
            "buckets": self.tokenizer.buckets,
            "usual": self.bank.usual,
            "bank": self.bank.features.half(),
            "weights": {name: _half(value) for name, value in self.towers.state_dict().items()},
        }
        write_state(path, state)

    @classmethod
    def load(cls, path: Path, device: torch.device | str = "cpu") -> "BodyClip":
        """Read what ``save`` wrote.

        Raises:
            VisionLanguageError: If the file is missing, damaged, or no such model.
        """
        try:
            state = read_state(path)
            if state.get("kind") != BODYCLIP:
                raise VisionLanguageError(f"{path} holds no BodyCLIP; give a file that `bodyclip train` has written.")
            return cls._from(state, torch.device(device))
        except (LearningError, RuntimeError, KeyError, TypeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise VisionLanguageError(
                f"{path} cannot be used as BodyCLIP ({reason}); train or fetch it again."
            ) from error

    @classmethod
    def _from(cls, state: Mapping[str, Any], device: torch.device) -> "BodyClip":
        config = from_plain(TowersConfig, state["towers"])
        tokenizer = Tokenizer(state["vocabulary"], state["buckets"])
        towers = Towers(config, len(tokenizer), tokenizer.buckets, torch.Generator().manual_seed(0))
        towers.load_state_dict(state["weights"])
        towers.requires_grad_(False)
        return cls(towers.to(device), config, tokenizer, Bank(state["bank"].float().to(device), state["usual"]))


def load_bodyclip(device: torch.device | str = "cpu") -> BodyClip:
    """The model that comes with this package.

    Raises:
        VisionLanguageError: If this build was made without one.
    """
    with as_file(files("anyskill") / "assets" / "bodyclip.safetensors") as path:
        if not path.exists():
            raise VisionLanguageError(
                "this build of anyskill has no BodyCLIP inside; train one with `anyskill bodyclip train`, or name a "
                "Hugging Face model or a local folder instead."
            )
        return BodyClip.load(path, device)


def planes_of(
    pictures: UInt8[Tensor, "n frame height width 3"], dtype: torch.dtype = torch.float32
) -> Float[Tensor, "n frame 3 size size"]:
    """Pictures as the image tower wants them; bfloat16, too, holds every brightness exactly."""
    flat = pictures.flatten(0, 1)
    planes = flat.permute(0, 3, 1, 2) if flat.shape[1:3] == (SIZE, SIZE) else _FIT(flat)
    return planes.to(dtype).sub_(_MIDDLE).div_(_SPREAD).unflatten(0, pictures.shape[:2])


def _verdict(known: float, nearest: float, usual: float) -> Verdict:
    """Everything as usual; or half of the words and a meaning not far away; or less."""
    if known == 1.0 and nearest >= usual:
        return "well"
    return "partly" if known >= 0.5 and nearest >= 0.5 * usual else "hardly"


def _half(value: Tensor) -> Tensor:
    return value.half() if value.is_floating_point() else value
