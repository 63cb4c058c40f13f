"""Where it pays to multiply in bfloat16."""

from functools import cache

import torch


@cache
def has_bfloat16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 natively, that is, faster than in float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)() if device.type == "cpu" else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("arm_bf16"))


def multiplying(device: torch.device, *, bf16: bool) -> torch.autocast:
    """Within it, networks multiply in bfloat16 if they are to and the device does so natively.

    Emulated, as on CPUs without instructions for it, it is several times as slow as float32.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=bf16 and has_bfloat16(device))
