"""The networks of BodyCLIP: pictures, sentences and states, each to one point on a sphere.

Pictures and states come as short histories, oldest first; what one moment looks like is encoded moment by moment, and
``Fusion`` joins the moments. One moment alone goes the same way.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import embedding, normalize

from anyskill.body.humanoid import HUMANOID
from anyskill.body.observation import policy_blocks, policy_observation, policy_size
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.vision_language.bodyclip.tokenizer import MAX_WORDS, Tokenizer, Tokens, split

SIZE = 112
"""Width and height of a picture in pixels."""
MAX_FRAMES = 4
"""Longest history."""
_FREQUENCIES = (1.0, 2.0, 4.0, 8.0)  # rad/s times π, of the encoding of time
_SPIN_SCALE = 0.2  # angular velocities are several rad/s where all else is about 1


@dataclass(frozen=True)
class TowersConfig:
    """Sizes of the networks."""

    dimension: int = 256
    """Of a feature."""
    channels: tuple[int, int, int] = (48, 96, 160)
    """Of the image tower at 28², 14² and 7²."""
    width: int = 256
    """Of what is known of one moment, before and in ``Fusion``."""
    state_units: int = 512
    """Hidden units of the state tower."""
    embedding: int = 96
    """Numbers stored for a word and for a group of letters."""
    text_width: int = 192
    """Of the text tower."""
    text_layers: int = 2
    """Of the text tower."""
    heads: int = 4
    """Of all attention."""


class Fusion(nn.Module):
    """Moments and when they were → a feature: one layer of attention, read at the last moment."""

    def __init__(self, config: TowersConfig) -> None:
        super().__init__()
        width = config.width
        self.time = nn.Linear(2 * len(_FREQUENCIES), width)
        self.layer = _attention_layer(width, config.heads)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, config.dimension))

    def forward(self, moments: Float[Tensor, "n moment width"], interval: float) -> Float[Tensor, "n d"]:
        """Unit-length features; ``interval`` is the time between two moments in seconds."""
        count = moments.shape[1]
        phase = math.pi * interval * torch.arange(1 - count, 1, device=moments.device)[:, None]
        phase = phase * torch.tensor(_FREQUENCIES, device=moments.device)
        time = self.time(torch.cat((phase.sin(), phase.cos()), -1))
        return normalize(self.head(self._last(moments + time)).float(), dim=-1)

    def _last(self, moments: Float[Tensor, "n moment width"]) -> Float[Tensor, "n width"]:
        """What ``layer`` makes of the last moment, which alone is read: a fraction of the work of all."""
        layer, normed = self.layer, self.layer.norm1(moments)
        asked, _ = layer.self_attn(normed[:, -1:], normed, normed, need_weights=False)
        last = moments[:, -1] + asked[:, 0]
        return last + layer.linear2(layer.activation(layer.linear1(layer.norm2(last))))


class PictureTower(nn.Module):
    """A small residual convolutional network, and ``Fusion``."""

    def __init__(self, config: TowersConfig) -> None:
        super().__init__()
        low, middle, high = config.channels
        self.network = nn.Sequential(
            nn.Conv2d(3, low, 6, stride=4, padding=1, bias=False),
            nn.BatchNorm2d(low),
            nn.ReLU(),
            *_convolution(low, middle, stride=2),
            _Residual(middle),
            *_convolution(middle, high, stride=2),
            _Residual(high),
            nn.Conv2d(high, 32, 1),  # where things are must survive: no pooling
            nn.Flatten(),
            nn.Linear(32 * (SIZE // 16) ** 2, config.width),
        )
        self.fusion = Fusion(config)

    def forward(self, planes: Float[Tensor, "n frame 3 height width"], interval: float) -> Float[Tensor, "n d"]:
        """Features of normalised pictures of ``SIZE``."""
        feature: Tensor = self.fusion(self.look(planes), interval)
        return feature

    def look(self, planes: Float[Tensor, "n frame 3 height width"]) -> Float[Tensor, "n frame width"]:
        """What each picture shows by itself; the input of ``fusion``."""
        flat = planes.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        moments: Tensor = self.network(flat).unflatten(0, planes.shape[:2])
        return moments


class StateTower(nn.Module):
    """What a picture would show, from the body's state: root-relative and free of heading."""

    def __init__(self, config: TowersConfig) -> None:
        super().__init__()
        units, skeleton = config.state_units, skeleton_of(HUMANOID)
        self._blocks = policy_blocks(skeleton)
        self.network = nn.Sequential(
            nn.Linear(policy_size(skeleton), units), nn.GELU(), nn.Linear(units, units), nn.GELU(),
            nn.Linear(units, config.width),
        )  # fmt: skip
        self.fusion = Fusion(config)

    def forward(self, states: BodyState, interval: float) -> Float[Tensor, "n d"]:
        """Features of states ``(n, moment)``. Of a single moment only the pose counts, as in a single picture."""
        observation = policy_observation(states)
        moving = float(states.batch_shape[-1] > 1)
        scale = observation.new_ones(observation.shape[-1])
        scale[self._blocks["linear"]] = moving
        scale[self._blocks["angular"]] = moving * _SPIN_SCALE
        return self.fusion(self.network(observation * scale), interval)


class TextTower(nn.Module):
    """A small transformer over words; the mean of its outputs is the sentence.

    ``shift`` is added to all features when training is over, so that sentence and body that have nothing in common
    have a cosine of zero.
    """

    shift: Tensor

    def __init__(self, config: TowersConfig, words: int, buckets: int) -> None:
        super().__init__()
        size, width = config.embedding, config.text_width
        self.words, self.pieces = nn.Embedding(words, size, padding_idx=0), nn.Embedding(buckets + 1, size, 0)
        self.lift = nn.Linear(2 * size, width)
        self.positions = nn.Parameter(0.02 * torch.randn(MAX_WORDS, width))
        self.layers = nn.ModuleList(_attention_layer(width, config.heads) for _ in range(config.text_layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, config.dimension)
        self.register_buffer("shift", torch.zeros(config.dimension))

    def forward(self, tokens: Tokens) -> Float[Tensor, "n d"]:
        """Unit-length features of sentences."""
        return self.shown(self.meaning(tokens))

    def shown(self, meaning: Float[Tensor, "n width"]) -> Float[Tensor, "n d"]:
        """The feature of what is meant."""
        return normalize(normalize(self.head(meaning).float(), dim=-1) + self.shift, dim=-1)

    def meaning(self, tokens: Tokens) -> Float[Tensor, "n width"]:
        """What the sentences mean, before it is said in the terms of pictures."""
        pieces = self.pieces(tokens.pieces).sum(1) / (tokens.pieces > 0).sum(1, keepdim=True).clamp_min(1)
        word = self.lift(torch.cat((self.words(tokens.word), pieces), -1))
        # Not by indexing: the gradient of this lookup is summed in a fixed order.
        sentence = embedding(tokens.place, word) + self.positions[: tokens.place.shape[1]]
        for layer in self.layers:
            sentence = layer(sentence, src_key_padding_mask=~tokens.mask)
        mask = tokens.mask[..., None]
        mean = (sentence * mask).sum(1) / mask.sum(1)
        return self.norm(mean)


class Towers(nn.Module):
    """All three towers and the temperature that they learn with.

    Args:
        config: Sizes.
        words: How many numbers of words there are.
        buckets: How many groups of letters are told apart.
        generator: Where initial weights come from; a stream of the CPU.
    """

    def __init__(self, config: TowersConfig, words: int, buckets: int, generator: torch.Generator) -> None:
        super().__init__()
        with _drawing_from(generator):
            self.picture, self.state = PictureTower(config), StateTower(config)
            self.text = TextTower(config, words, buckets)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    @property
    def scale(self) -> Float[Tensor, ""]:
        """One over the temperature, at most 20.

        CLIP's limit is 100. Where a cosine is a reward, it has to fall a good way for who only stands there, or waves
        with the other hand as well.
        """
        return self.log_scale.clamp_max(math.log(20.0)).exp()


def encode_in_groups(
    tower: Callable[[Tokens], Float[Tensor, "n d"]],
    tokenizer: Tokenizer,
    texts: Sequence[str],
    device: torch.device,
    group: int = 64,
) -> Float[Tensor, "n d"]:
    """What a text tower (or a part of it) says of sentences, those of like length together: padding costs time."""
    lengths = [len(split(text)) for text in texts]
    order = sorted(range(len(texts)), key=lengths.__getitem__)
    # For so few words plain attention takes half of the time of the fused one, backwards.
    with sdpa_kernel(SDPBackend.MATH):
        parts = [
            tower(tokenizer.encode([texts[number] for number in order[start : start + group]]).to(device))
            for start in range(0, len(order), group)
        ]
    return torch.cat(parts).index_select(0, torch.tensor(order, device=device).argsort())


@contextmanager
def _drawing_from(generator: torch.Generator) -> Iterator[None]:
    """Within the block the library's initialisers draw numbers that follow from ``generator``, and disturb nobody."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))
        yield


def _attention_layer(width: int, heads: int) -> nn.TransformerEncoderLayer:
    return nn.TransformerEncoderLayer(
        width, heads, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )


def _convolution(inputs: int, outputs: int, stride: int = 1) -> tuple[nn.Module, ...]:
    return (nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class _Residual(nn.Module):
    """Two convolutions beside a short cut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        *first, second, norm, _ = *_convolution(channels, channels), *_convolution(channels, channels)
        self.network = nn.Sequential(*first, second, norm)

    def forward(self, x: Float[Tensor, "n channel h w"]) -> Float[Tensor, "n channel h w"]:
        return torch.relu(x + self.network(x))
