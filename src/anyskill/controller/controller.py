"""``Controller``: π(a|s, z), its motion encoder, and a bank of latents, in one file that needs no motion data."""

from dataclasses import asdict, dataclass
from importlib.resources import as_file, files
from itertools import pairwise
from pathlib import Path
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from anyskill.body.humanoid import CHARACTERS
from anyskill.body.observation import frame_size, policy_observation, policy_size
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.controller.networks import Encoder
from anyskill.errors import AnyskillError
from anyskill.learning.config import from_plain
from anyskill.learning.errors import CheckpointError, LearningError
from anyskill.learning.networks import GaussianPolicy, StyleMLP
from anyskill.learning.normalizer import RunningNormalizer
from anyskill.learning.state import halved, read_state, write_state

FORMAT = 1


class ControllerError(AnyskillError):
    """A controller cannot be loaded or used as asked."""


@dataclass(frozen=True)
class ControllerConfig:
    """What is needed to build the networks again."""

    character: str = "humanoid"
    """Whose body it moves."""
    units: tuple[int, ...] = (1024, 1024, 512)
    """Hidden layers of the policy."""
    latent: int = 64
    """Size of z."""
    frames: int = 60
    """Frames of a window the encoder takes."""
    stride: int = 1
    """The encoder reads every so many of them."""
    encoder_units: tuple[int, ...] = (1024, 1024, 512)
    """Hidden layers of the encoder."""
    log_sigma: float = -2.9
    """Of the policy when it was trained; ``act`` uses the mean."""
    bf16: bool = False
    """Multiply in bfloat16, where the device does so natively."""


class Controller(nn.Module):
    """A low-level controller: acts thirty times a second, under latents of unit length.

    Args:
        config: Sizes.
        latents: The bank: latents of windows of the motions it was trained on.
        names: Of each latent in the bank, the clip it came from.
        paths: Latents of windows that begin a sixth of a second after each other, through every clip; the bank if none
            are given. Followed one after the other they play a clip.
        path_names: Of each latent of the paths, the clip it came from.
    """

    latents: Tensor
    paths: Tensor

    def __init__(
        self,
        config: ControllerConfig,
        latents: Float[Tensor, "bank latent"],
        names: tuple[str, ...],
        paths: Float[Tensor, "place latent"] | None = None,
        path_names: tuple[str, ...] | None = None,
    ) -> None:
        super().__init__()
        self.config, self.names, self.path_names = config, names, path_names or names
        self.skeleton = skeleton_of(CHARACTERS[config.character])
        weights = torch.Generator().manual_seed(0)  # overwritten by whoever trained or saved
        observation, frame = policy_size(self.skeleton), frame_size(self.skeleton)
        trunk = StyleMLP(observation, config.latent, config.units, weights, bf16=config.bf16)
        self.policy = GaussianPolicy(trunk, self.skeleton.num_dof, config.log_sigma, weights)
        self.encoder = Encoder(
            frame, config.frames, config.stride, config.encoder_units, config.latent, weights, bf16=config.bf16
        )
        self.observations, self.frames = RunningNormalizer(observation), RunningNormalizer(frame)
        self.register_buffer("latents", latents)
        self.register_buffer("paths", latents.clone() if paths is None else paths)
        self.register_buffer("_offset", self.skeleton.action_offset.float(), persistent=False)
        self.register_buffer("_scale", self.skeleton.action_scale.float(), persistent=False)
        self._offset: Tensor
        self._scale: Tensor

    @torch.no_grad()
    def act(self, state: BodyState, z: Float[Tensor, "world latent"]) -> Float[Tensor, "world dof"]:
        """PD targets (rad) for the next 1/30 s: the mean action."""
        action = self.policy(self.observations(policy_observation(state)), z)
        return self._offset + self._scale * action.clamp(-1.0, 1.0)

    @property
    def known(self) -> Float[Tensor, "clip_latent latent"]:
        """All latents of clips: the bank's, and those of the paths."""
        return torch.cat((self.latents, self.paths))

    @property
    def path_bounds(self) -> list[tuple[str, int, int]]:
        """Of each path in order: the clip it plays, its first place, and the place after its last."""
        begins = [i for i, name in enumerate(self.path_names) if i == 0 or name != self.path_names[i - 1]]
        return [(self.path_names[begin], begin, end) for begin, end in pairwise([*begins, len(self.path_names)])]

    @torch.no_grad()
    def encode(self, window: Float[Tensor, "n frames frame"]) -> Float[Tensor, "n latent"]:
        """z = E(window) of adversarial frames at 30 Hz, newest first."""
        return self.encoder(self.frames(window[:, :: self.config.stride]))

    def save(self, path: Path) -> None:
        """Write one file; weights are stored in half precision."""
        names = {"names": list(self.names), "path_names": list(self.path_names)}
        header = {"format": FORMAT, "config": asdict(self.config), **names}
        write_state(path, {"header": header, "tensors": halved(self.state_dict())})

    @classmethod
    def load(cls, path: Path, device: torch.device | str = "cpu") -> Self:
        """Read a file that ``save`` wrote.

        Raises:
            ControllerError: The file is missing, damaged, or holds something else.
        """
        try:
            content = read_state(path)
            header, tensors = content["header"], content["tensors"]
            if header["format"] != FORMAT:
                raise ControllerError(f"{path} has format {header['format']}; this version reads {FORMAT}.")
            config = from_plain(ControllerConfig, header["config"])
            if config.character not in CHARACTERS:
                raise ControllerError(
                    f"{path} moves the body {config.character}, which this version does not know; it knows "
                    f"{', '.join(CHARACTERS)}."
                )
            latents, paths = (tensors[name].float() for name in ("latents", "paths"))
            controller = cls(config, latents, tuple(header["names"]), paths, tuple(header["path_names"]))
            controller.load_state_dict(tensors)
        except CheckpointError as error:
            raise ControllerError(str(error)) from None
        except KeyError:  # a checkpoint, most likely
            raise ControllerError(
                f"{path} is no controller; `anyskill controller export` makes one of a run."
            ) from None
        except (TypeError, RuntimeError, LearningError) as error:
            raise ControllerError(f"{path} is no controller ({' '.join(str(error).split())}).") from None
        return controller.to(device).eval()


def load_controller(device: torch.device | str = "cpu") -> Controller:
    """The controller that comes with this package.

    Raises:
        ControllerError: If this build was made without one.
    """
    with as_file(files("anyskill") / "assets" / "controller-6.safetensors") as path:
        if not path.exists():
            raise ControllerError(
                "this build of anyskill has no controller inside; train one with `anyskill pretrain`, or name the file "
                "of one with `--controller FILE`."
            )
        return Controller.load(path, device)
