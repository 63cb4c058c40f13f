"""The real architectures, small, with seeded random weights, as folders that look like downloaded models."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE, Unigram
from tokenizers.trainers import BpeTrainer
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTokenizer,
    MetaClip2Config,
    MetaClip2Model,
    PreTrainedTokenizerFast,
    Siglip2Config,
    Siglip2Model,
    SiglipConfig,
    SiglipModel,
    XCLIPConfig,
    XCLIPModel,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil
from transformers.models.videomae.image_processing_pil_videomae import VideoMAEImageProcessorPil

KINDS = ("clip", "metaclip_2", "siglip", "siglip2", "xclip")
SENTENCE = "raise both arms overhead and stand on the left leg with the right foot against the left knee"

TEXT = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
VISION = {**TEXT, "image_size": 64, "patch_size": 16}


def build(kind: str, folder: Path) -> Path:
    """Write a small model of one kind, with its tokenizer and image processor, and return the folder."""
    torch.manual_seed(7)
    if kind in ("clip", "metaclip_2", "xclip"):
        tokenizer = clip_tokenizer()
        tokens = {
            "vocab_size": len(tokenizer),
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        }
    else:
        tokenizer = siglip_tokenizer()
        tokens = {"vocab_size": len(tokenizer), "pad_token_id": 1, "eos_token_id": 1}
    text = {**TEXT, **tokens, "max_position_embeddings": 64 if kind.startswith("siglip") else 77}
    if kind == "clip":
        model = CLIPModel(CLIPConfig(text_config=text, vision_config=VISION, projection_dim=24))
        processor = CLIPImageProcessorPil(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64})
    elif kind == "metaclip_2":
        model = MetaClip2Model(MetaClip2Config(text_config=text, vision_config=VISION, projection_dim=24))
        processor = CLIPImageProcessorPil(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64})
    elif kind == "siglip":
        model = SiglipModel(SiglipConfig(text_config=text, vision_config=VISION))
        processor = SiglipImageProcessorPil(size={"height": 64, "width": 64})
    elif kind == "siglip2":
        vision = {**VISION, "num_patches": 16}
        model = Siglip2Model(Siglip2Config(text_config=text, vision_config=vision))
        processor = Siglip2ImageProcessorPil(patch_size=16, max_num_patches=20)
    else:
        vision = {
            **VISION,
            "num_frames": 4,
            "mit_hidden_size": 24,
            "mit_intermediate_size": 48,
            "mit_num_hidden_layers": 1,
            "mit_num_attention_heads": 2,
        }
        model = XCLIPModel(XCLIPConfig(text_config=text, vision_config=vision, projection_dim=24))
        processor = VideoMAEImageProcessorPil(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64})
    stir(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    processor.save_pretrained(folder)
    if kind == "siglip":  # the published models name a class that needs sentencepiece, beside a complete tokenizer.json
        path = folder / "tokenizer_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "tokenizer_class": "SiglipTokenizer"}))
    return folder


def stir(model: torch.nn.Module) -> None:
    """Random weights far from the small initial ones, so that pictures and sentences differ in their features."""
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                fan_in = parameter[0].numel()
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * min(1.0, 1.5 * fan_in**-0.5))


def clip_tokenizer() -> CLIPTokenizer:
    """CLIP's own tokenizer class over a vocabulary learnt from a few words."""
    learnt = Tokenizer(BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"))
    learnt.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["<|startoftext|>", "<|endoftext|>"]
    learnt.train_from_iterator(
        [SENTENCE.split()], BpeTrainer(vocab_size=200, end_of_word_suffix="</w>", show_progress=False)
    )
    bpe = json.loads(learnt.to_str())["model"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = dict.fromkeys([*letters, *(letter + "</w>" for letter in letters), *bpe["vocab"]])
    vocabulary = {token: index for index, token in enumerate([*tokens, *special])}
    return CLIPTokenizer(vocab=vocabulary, merges=[tuple(merge) for merge in bpe["merges"]], model_max_length=77)


def siglip_tokenizer() -> PreTrainedTokenizerFast:
    """A T5-like unigram tokenizer: lower case, no punctuation, an end token, filled up with it."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -20.0), ("▁", -4.0)]
    pieces += [(f"▁{word}", -2.0 - 0.01 * index) for index, word in enumerate(dict.fromkeys(SENTENCE.split()))]
    pieces += [(letter, -8.0) for letter in "abcdefghijklmnopqrstuvwxyz"]
    tokenizer = Tokenizer(Unigram(pieces, unk_id=2))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="</s>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=64,
        model_input_names=["input_ids"],
    )
