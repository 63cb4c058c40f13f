import math

import pytest
import torch

from anyskill import rotation
from anyskill.render.camera import Camera, around

from .poses import LYING, STANDING, pose


def test_default_is_the_papers_camera():
    position, axes = Camera().pose(pose(xy=(2.0, -1.0)))
    torch.testing.assert_close(position, torch.tensor([[5.0, -1.0, 1.0]]))
    torch.testing.assert_close(axes[0, :, 0], torch.tensor([0.0, 1.0, 0.0]))  # its right is the body's left
    assert axes[0, 0, 2] > 0.99  # it looks along -x, at the face


@pytest.mark.parametrize("state", [STANDING, LYING])
@pytest.mark.parametrize("camera", around(5, Camera(height=1.7, yaw=0.3)))
def test_axes_are_a_level_rotation(camera, state):
    _, axes = camera.pose(state)
    torch.testing.assert_close(axes.mT @ axes, torch.eye(3)[None])
    torch.testing.assert_close(torch.linalg.det(axes), torch.ones(1))
    assert axes[0, 2, 0] == 0
    assert axes[0, 2, 1] > 0


def test_the_pelvis_is_on_the_vertical_middle_line():
    state = pose(height=1.3, xy=(1.0, 2.0))
    position, axes = Camera(yaw=2.0).pose(state)
    seen = axes.mT @ (state.positions[:, 0] - position)[..., None]
    assert seen[0, 0].abs() < 1e-6
    assert seen[0, 2] < 0  # in front of the camera


def test_following_the_heading_sees_a_turned_body_from_the_same_side():
    turned, fixed = pose(yaw=2.5), Camera(follow_heading=False)
    following = Camera(follow_heading=True)
    torch.testing.assert_close(fixed.pose(turned)[1], fixed.pose(STANDING)[1])
    inverse = rotation.conjugate(turned.rotations[:, 0])
    seen = rotation.rotate(inverse, following.pose(turned)[0])
    torch.testing.assert_close(seen, fixed.pose(STANDING)[0], atol=1e-5, rtol=0)


def test_views_around_go_front_left_back_right():
    places = torch.cat([camera.pose(STANDING)[0] for camera in around(4)])
    expected = torch.tensor([[3.0, 0, 1], [0, 3, 1], [-3, 0, 1], [0, -3, 1]])
    torch.testing.assert_close(places, expected, atol=1e-6, rtol=0)
    assert [round(math.degrees(camera.yaw)) for camera in around(4)] == [0, 90, 180, 270]
