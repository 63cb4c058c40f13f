"""Many processes, one policy: what ``torchrun`` starts joins here; a process on its own notices nothing.

All ranks hold the same networks and different worlds; gradients and statistics are shared.
"""

import os
from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor, nn


def join(device: torch.device | str) -> torch.device:
    """Join the other processes, if ``torchrun`` started any, and return the device that is this rank's own."""
    device = torch.device(device)
    if "WORLD_SIZE" not in os.environ or dist.is_initialized():
        return device
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return device


def leave() -> None:
    """Part from the other processes."""
    if dist.is_initialized():
        dist.destroy_process_group()


def rank() -> int:
    """Number of this process, from 0; rank 0 is the one that writes and prints."""
    return dist.get_rank() if dist.is_initialized() else 0


def num_ranks() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_initialized() else 1


def total(tensor: Tensor) -> Tensor:
    """The sum over ranks."""
    if num_ranks() == 1:
        return tensor
    tensor = tensor.clone()
    dist.all_reduce(tensor)
    return tensor


def average(tensor: Tensor) -> Tensor:
    """The mean over ranks."""
    return total(tensor) / num_ranks()


def smallest(number: int) -> int:
    """The smallest of a whole number over ranks."""
    return -largest(-number)


def largest(number: int) -> int:
    """The largest of a whole number over ranks."""
    if num_ranks() == 1:
        return number
    tensor = torch.tensor(number, device="cuda" if dist.get_backend() == "nccl" else "cpu")
    dist.all_reduce(tensor, dist.ReduceOp.MAX)
    return int(tensor)


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace gradients by their mean over ranks, in one message."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if num_ranks() == 1 or not gradients:
        return
    mean = average(torch.cat([gradient.flatten() for gradient in gradients]))
    for gradient, part in zip(gradients, mean.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def broadcast(module: nn.Module) -> None:
    """Give every rank the parameters and buffers of rank 0."""
    if num_ranks() == 1:
        return
    for tensor in module.state_dict().values():
        dist.broadcast(tensor, 0)
