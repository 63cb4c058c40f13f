"""The moments of an Adam optimiser as a state that can be saved by name."""

from typing import Any

import torch
from torch import nn


class OptimizerState:
    """``Stateful``: what Adam or AdamW has gathered about a module's parameters, under the parameters' names.

    Args:
        optimizer: Of the module's parameters.
        module: Whose parameters have the names.
    """

    def __init__(self, optimizer: torch.optim.Adam, module: nn.Module) -> None:
        self._optimizer, self._parameters = optimizer, dict(module.named_parameters())

    def state_dict(self) -> dict[str, Any]:
        """The moments, by the parameter's name."""
        return {name: self._optimizer.state[p] for name, p in self._parameters.items() if p in self._optimizer.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a copy of saved moments.

        Raises:
            KeyError: They know a parameter that does not exist here.
        """
        self._optimizer.state.clear()
        for name, moments in state.items():
            parameter = self._parameters[name]
            self._optimizer.state[parameter] = {
                key: value.to(parameter.device, copy=True) for key, value in moments.items()
            }
