"""CLIP, MetaCLIP, SigLIP, SigLIP 2 and X-CLIP through ``transformers``, fed with tensors."""

import json
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn.functional import normalize

from anyskill.learning.precision import has_bfloat16
from anyskill.vision_language.features_cache import TextFeatureCache
from anyskill.vision_language.hub import identity, model_folder
from anyskill.vision_language.model import Precision, VisionLanguageError
from anyskill.vision_language.preprocessing import Preprocessing, flexible_size, patches_of
from anyskill.vision_language.resampling import resize

MODEL_TYPES = ("clip", "metaclip_2", "siglip", "siglip2", "xclip")
CHUNK = 256  # pictures encoded at once


class HuggingFaceModel:
    """A dual encoder of the Hugging Face hub; ``load_model`` is the usual way to get one.

    X-CLIP sees several pictures at once. Its prompts that adapt a sentence to each video are left out, because a
    sentence's feature has to be the same for all pictures.
    """

    def __init__(self, name: str, device: torch.device | str = "cpu", *, precision: Precision = "auto") -> None:
        self.name = name
        self.device = torch.device(device)
        self.bfloat16 = precision == "bfloat16" or (precision == "auto" and has_bfloat16(self.device))
        folder = model_folder(name)
        self._model, self._tokenizer, self._processor = _load(folder)
        self._model.to(self.device)
        self._preprocess = Preprocessing.from_library(self._processor, folder)
        self._text_cache = TextFeatureCache(identity(name, folder))

    @property
    def dimension(self) -> int:
        """Length of a feature."""
        config = self._model.config
        return int(config.text_config.projection_size if self._is_siglip else config.projection_dim)

    @property
    def frames(self) -> int:
        """How many pictures it looks at together: more than 1 for X-CLIP only."""
        config = self._model.config
        return int(config.vision_config.num_frames) if config.model_type == "xclip" else 1

    @torch.inference_mode()
    def encode_images(self, pictures: UInt8[Tensor, "n *frames height width 3"]) -> Float[Tensor, "n d"]:
        """Unit-length float32 features of RGB pictures; ``(n, frames, height, width, 3)`` for a video model."""
        self._check(pictures)
        features = [torch.zeros(0, self.dimension, device=self.device)]
        for start in range(0, len(pictures), step := max(1, CHUNK // self.frames)):
            features.append(self._encode_images(pictures[start : start + step].to(self.device)))
        return torch.cat(features)

    def encode_texts(self, texts: Sequence[str]) -> Float[Tensor, "n d"]:
        """Unit-length float32 features of sentences, from the cache on disk where they are known."""
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise VisionLanguageError("encode_texts takes a list of sentences.")
        if not texts:
            return torch.zeros(0, self.dimension, device=self.device)
        return self._text_cache.get(texts, self._encode_texts).to(self.device)

    def _encode_images(self, pictures: UInt8[Tensor, "n *frames height width 3"]) -> Float[Tensor, "n d"]:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            if self._model.config.model_type == "siglip2":
                features = self._model.get_image_features(**self._flexible(pictures))
            elif self.frames > 1:
                values = self._preprocess(pictures.flatten(0, 1))
                features = self._model.get_video_features(values.unflatten(0, (-1, self.frames)))
            else:
                features = self._model.get_image_features(self._preprocess(pictures))
        return normalize(features.pooler_output.float(), dim=-1)

    def _flexible(self, pictures: UInt8[Tensor, "n height width 3"]) -> dict[str, Tensor]:
        """SigLIP 2 keeps a picture's proportions and reads patches."""
        patch, count = int(self._processor.patch_size), int(self._processor.max_num_patches)
        size = flexible_size(pictures.shape[1], pictures.shape[2], patch, count)
        planes = self._preprocess.normalise(resize(pictures, size, self._preprocess.filter))
        patches, mask, shape = patches_of(planes, patch, count)
        shapes = torch.tensor([shape], device=self.device).expand(len(pictures), 2)
        return {"pixel_values": patches, "pixel_attention_mask": mask, "spatial_shapes": shapes}

    @torch.inference_mode()
    def _encode_texts(self, texts: list[str]) -> Float[Tensor, "n d"]:
        tokens = self._tokenize(texts)
        inputs = {key: value.to(self.device) for key, value in tokens.items()}
        return normalize(self._model.get_text_features(**inputs).pooler_output.float(), dim=-1)

    def _tokenize(self, texts: list[str]) -> dict[str, Int[Tensor, "n token"]]:
        """Token numbers; the SigLIPs were trained on texts filled up to the full length, and need that."""
        length = self._model.config.text_config.max_position_embeddings
        padding = "max_length" if self._is_siglip else True
        tokens: dict[str, Tensor] = self._tokenizer(
            texts, padding=padding, truncation=True, max_length=length, return_tensors="pt"
        )
        return tokens

    def _check(self, pictures: Tensor) -> None:
        video = self.frames > 1
        axes = ("n", "frames", "height", "width", "3") if video else ("n", "height", "width", "3")
        shape = tuple(pictures.shape)
        good = len(shape) == len(axes) and shape[-1] == 3 and min(shape[-3:-1]) > 0
        if not good or pictures.dtype != torch.uint8 or (video and shape[1] != self.frames):
            kind = str(pictures.dtype).removeprefix("torch.")
            raise VisionLanguageError(
                f"{self.name} takes uint8 pictures of shape ({', '.join(axes)})"
                + (f" with {self.frames} frames" if video else "")
                + f", but was given {kind} of shape {shape}."
            )

    @property
    def _is_siglip(self) -> bool:
        return self._model.config.model_type in ("siglip", "siglip2")


class SiglipTokenizer:
    """The first SigLIP's tokenizer from its ``tokenizer.json``, for the library's own class needs sentencepiece.

    As in the library, punctuation and double spaces go before the text is cut into pieces, and no mask is given.
    """

    def __init__(self, folder: Path) -> None:
        from transformers import PreTrainedTokenizerFast

        self._tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, model_input_names=["input_ids"])

    def __call__(self, texts: list[str], **options: Any) -> Any:
        """Token numbers; ``options`` are the library's."""
        bare = str.maketrans("", "", string.punctuation)
        return self._tokenizer([" ".join(text.translate(bare).lower().split()) for text in texts], **options)


def _wants_siglip(folder: Path) -> bool:
    path = folder / "tokenizer_config.json"
    return path.exists() and json.loads(path.read_text(encoding="utf-8")).get("tokenizer_class") == "SiglipTokenizer"


def _load(folder: Path) -> tuple[Any, Any, Any]:
    """Model (float32, in evaluation mode), tokenizer and image processor of a folder."""
    from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoTokenizer

    safe = {"trust_remote_code": False, "local_files_only": True}
    try:
        config = AutoConfig.from_pretrained(folder, **safe)
        if config.model_type not in MODEL_TYPES:
            raise VisionLanguageError(
                f"{folder} holds a model of type {config.model_type}; supported are {', '.join(MODEL_TYPES)}."
            )
        tokenizer = SiglipTokenizer(folder) if _wants_siglip(folder) else AutoTokenizer.from_pretrained(folder, **safe)
        processor = AutoImageProcessor.from_pretrained(folder, backend="pil", **safe)
        model, report = AutoModel.from_pretrained(
            folder, config=config, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **safe
        )
    except VisionLanguageError:
        raise
    except Exception as error:  # the library raises whatever a broken file leads to
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise VisionLanguageError(
            f"the model in {folder} cannot be read ({reason[:200]}); fetch it again, or choose another."
        ) from error
    if missing := report["missing_keys"]:
        raise VisionLanguageError(
            f"the weights in {folder} lack {len(missing)} of the model's tensors, {sorted(missing)[0]} for one; "
            "fetch the model again."
        )
    return model.eval().requires_grad_(False), tokenizer, processor
