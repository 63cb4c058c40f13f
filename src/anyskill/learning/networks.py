"""The networks of AMP, ASE and CALM: trunks with ReLU units, a Gaussian policy and a value on top of one."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from anyskill.learning.precision import multiplying


def linear(inputs: int, outputs: int, generator: torch.Generator, bound: float | None = None) -> nn.Linear:
    """A linear layer with zero biases and weights uniform in ±``bound``, by default ±1/√inputs as PyTorch has it."""
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs)  # the default initialiser draws from the global stream
    bound = 1.0 / math.sqrt(inputs) if bound is None else bound
    nn.init.uniform_(layer.weight, -bound, bound, generator)
    nn.init.zeros_(layer.bias)
    return layer


class MLP(nn.Module):
    """Linear layers, each followed by a ReLU; several inputs are concatenated.

    Args:
        inputs: Sum of the inputs' sizes.
        units: Sizes of the layers.
        generator: Where initial weights come from; a stream of the CPU.
        bf16: Multiply in bfloat16 (autocast) where the device does so natively; weights, inputs and outputs stay as
            they are. Two to three times as fast to train on a CPU with AVX-512 instructions for it.
    """

    def __init__(self, inputs: int, units: Sequence[int], generator: torch.Generator, *, bf16: bool = False) -> None:
        super().__init__()
        self.out_features = units[-1]
        self.bf16 = bf16
        layers: list[nn.Module] = []
        for size, outputs in zip((inputs, *units), units, strict=False):
            layers += [linear(size, outputs, generator), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, *inputs: Float[Tensor, "*batch _"]) -> Float[Tensor, "*batch out"]:
        """Features of the concatenated inputs."""
        x = torch.cat(inputs, -1) if len(inputs) > 1 else inputs[0]
        with multiplying(x.device, bf16=self.bf16):
            features = self.layers(x)
        return features.to(x.dtype)


class StyleMLP(nn.Module):
    """A trunk that sees a latent through a style network (ASE, CALM): z → 512 → 256 → 64, tanh, joined to the input.

    Args:
        inputs: Size of the observation.
        latent: Size of z.
        units: Sizes of the trunk's layers.
        generator: Where initial weights come from.
        style_units: Hidden sizes of the style network.
        style: Size of its output.
        bf16: As in ``MLP``.
    """

    def __init__(
        self,
        inputs: int,
        latent: int,
        units: Sequence[int],
        generator: torch.Generator,
        *,
        style_units: Sequence[int] = (512, 256),
        style: int = 64,
        bf16: bool = False,
    ) -> None:
        super().__init__()
        self.style = MLP(latent, style_units, generator, bf16=bf16)
        self.style_head = linear(style_units[-1], style, generator, bound=1.0)
        self.trunk = MLP(inputs + style, units, generator, bf16=bf16)
        self.out_features = self.trunk.out_features

    def forward(
        self,
        observation: Float[Tensor, "*batch inputs"],
        latent: Float[Tensor, "*latents latent"],
        number: Int[Tensor, "*batch"] | None = None,
    ) -> Float[Tensor, "*batch out"]:
        """Features of an observation under a latent; where many share few, ``number`` tells which is whose."""
        style = torch.tanh(self.style_head(self.style(latent)))
        return self.trunk(observation, style if number is None else style[number])


class GaussianPolicy(nn.Module):
    """A normal distribution over actions with a learnt mean and one fixed standard deviation.

    Args:
        trunk: ``MLP`` or ``StyleMLP``; its inputs are the policy's.
        actions: Number of actions.
        log_sigma: Logarithm of the standard deviation; −2.9 for controllers, −2.3 for high-level policies.
        generator: Where initial weights come from.
        tanh: Keep the mean within ±1; the ancestors of this method leave it free and use a bound loss.
    """

    log_sigma: Tensor

    def __init__(
        self,
        trunk: MLP | StyleMLP,
        actions: int,
        log_sigma: float,
        generator: torch.Generator,
        *,
        tanh: bool = False,
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = linear(trunk.out_features, actions, generator)
        self.tanh = tanh
        self.register_buffer("log_sigma", torch.tensor(float(log_sigma)))

    def forward(self, *inputs: Float[Tensor, "*batch _"]) -> Float[Tensor, "*batch action"]:
        """The mean action."""
        mean = self.head(self.trunk(*inputs))
        return torch.tanh(mean) if self.tanh else mean

    def sample(self, mean: Float[Tensor, "*batch action"], generator: torch.Generator) -> Tensor:
        """Actions around a mean."""
        noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
        return mean + self.log_sigma.exp() * noise

    def log_probability(
        self, mean: Float[Tensor, "*batch action"], action: Float[Tensor, "*batch action"]
    ) -> Float[Tensor, "*batch"]:
        """Logarithm of the density, summed over actions."""
        scaled = (action - mean) / self.log_sigma.exp()
        constant = self.log_sigma + 0.5 * math.log(2 * math.pi)
        return -0.5 * scaled.square().sum(-1) - mean.shape[-1] * constant

    def kl(
        self, mean: Float[Tensor, "*batch action"], other: Float[Tensor, "*batch action"]
    ) -> Float[Tensor, "*batch"]:
        """Kullback-Leibler divergence between two means, Σ (μ − μ')² / 2σ²: symmetric, for σ is one and the same."""
        return 0.5 * ((mean - other) / self.log_sigma.exp()).square().sum(-1)


class Value(nn.Module):
    """One number on top of a trunk, such as the value of a state."""

    def __init__(self, trunk: MLP | StyleMLP, generator: torch.Generator, *, bound: float | None = None) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = linear(trunk.out_features, 1, generator, bound)

    def forward(self, *inputs: Float[Tensor, "*batch _"]) -> Float[Tensor, "*batch"]:
        """The number, without a last dimension of one."""
        return self.head(self.trunk(*inputs)).squeeze(-1)
