"""Text features on disk, so that a sentence is encoded once per model."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from anyskill.files import cache_folder, write_atomically


class TextFeatureCache:
    """One safetensors file per model and sentence, under ``text_features`` in the cache folder.

    A file that cannot be read counts as absent and is written anew; a folder that cannot be written only costs time.
    """

    def __init__(self, model_identity: str) -> None:
        self.folder = cache_folder() / "text_features" / _digest(model_identity)

    def get(self, texts: Sequence[str], encode: Callable[[list[str]], Float[Tensor, "n d"]]) -> Float[Tensor, "n d"]:
        """Features of the sentences in order, on the CPU; ``encode`` is called once, for those not known yet."""
        features = {text: self._read(text) for text in texts}
        missing = [text for text, feature in features.items() if feature is None]
        if missing:
            for text, feature in zip(missing, encode(missing).cpu(), strict=True):
                features[text] = feature
                self._write(text, feature)
        return torch.stack([feature for text in texts if (feature := features[text]) is not None])

    def _path(self, text: str) -> Path:
        return self.folder / f"{_digest(text)}.safetensors"

    def _read(self, text: str) -> Float[Tensor, "d"] | None:
        try:
            return load_file(self._path(text))["feature"]
        except (OSError, SafetensorError, KeyError):
            return None

    def _write(self, text: str, feature: Float[Tensor, "d"]) -> None:
        try:
            with write_atomically(self._path(text)) as file:
                file.write(save({"feature": feature.contiguous()}))
        except OSError:
            pass


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
