"""Where a picture is taken from."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.state import BodyState

AIM_ABOVE_PELVIS = 0.1  # m; a standing body with raised arms then fits as well as its feet
LOWEST_AIM = 0.6  # m; a body that lies towards the camera keeps its near end in the picture


@dataclass(frozen=True)
class Camera:
    """A camera that follows the pelvis on a boom; the default is the paper's, at (3, 0, 1) m and aimed at the pelvis.

    The boom's foot is the point of the ground below the pelvis, so walking does not change the size of the body. With
    ``yaw`` 0 the camera stands on the +x side and sees the face of a body that faces +x.

    By default the boom keeps its direction in the world, as in the paper: turning round shows the back. With
    ``follow_heading`` it turns with the pelvis' yaw: a picture is then a function of what a policy observes, which
    is free of heading; the yaw of a lying body is not well defined, and neither is that view.
    """

    distance: float = 3.0
    """Horizontal distance from the pelvis (m)."""
    height: float = 1.0
    """Above the ground (m)."""
    yaw: float = 0.0
    """Direction of the boom about +z (rad): π/2 sees the left side of a body that faces +x."""
    field_of_view: float = math.radians(42)
    """Vertical, in rad. 42 degrees show 2.3 m at 3 m."""
    follow_heading: bool = False
    """Whether the boom turns with the pelvis."""

    def pose(self, state: BodyState) -> tuple[Float[Tensor, "*batch 3"], Float[Tensor, "*batch 3 3"]]:
        """Position (m) and orientation of the camera; the columns are its right, its up, and away from what it sees."""
        pelvis = state.positions[..., 0, :]
        yaw = torch.full_like(pelvis[..., 0], self.yaw)
        if self.follow_heading:
            yaw = yaw + rotation.heading(state.rotations[..., 0, :])
        boom = torch.stack((torch.cos(yaw), torch.sin(yaw)), -1)
        height = torch.full_like(yaw, self.height)[..., None]
        position = torch.cat((pelvis[..., :2] + self.distance * boom, height), -1)
        aim = (pelvis[..., 2:] + AIM_ABOVE_PELVIS).clamp_min(LOWEST_AIM)
        back = torch.cat((self.distance * boom, height - aim), -1)
        back = back / back.norm(dim=-1, keepdim=True)
        right = torch.stack((-boom[..., 1], boom[..., 0], torch.zeros_like(yaw)), -1)
        return position, torch.stack((right, torch.linalg.cross(back, right), back), -1)


def around(count: int, camera: Camera | None = None) -> tuple[Camera, ...]:
    """Views spread evenly around the body: ``around(4)`` is front, left, back and right."""
    camera = camera or Camera()
    turns = (camera.yaw + 2 * math.pi * i / count for i in range(count))
    return tuple(
        Camera(camera.distance, camera.height, yaw, camera.field_of_view, camera.follow_heading) for yaw in turns
    )
