"""Whether a body goes where its reference goes.

Positions relative to the root do not tell who walks from who marks time, and standing instead of walking costs little
reward while a fall costs much. So a body that is left behind has failed, like one that falls.
"""

from jaxtyping import Float
from torch import Tensor

from anyskill.sim.engine import CONTROL_DT


def lag(error: Float[Tensor, "n observation"], blocks: dict[str, slice]) -> Float[Tensor, "n 2"]:
    """How far (m) the root fell behind in the last control step, forward and to the left of its own heading.

    Of the difference of two ``policy_observation``, the body's minus the reference's. Summed up it is the way that is
    missing as each of the two sees it: a body that has turned is not behind.
    """
    return error[:, blocks["linear"]][:, :2] * -CONTROL_DT
