"""Rotations against scipy in float64, plus the identities each function promises."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from anyskill import rotation


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def random_quaternions(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return rotation.normalize(torch.randn(*shape, 4, generator=generator, dtype=torch.float64))


def to_scipy(q: torch.Tensor) -> Rotation:
    return Rotation.from_quat(q.numpy(), scalar_first=True)


def assert_same_rotation(a: torch.Tensor, b: torch.Tensor, tolerance: float = 1e-9) -> None:
    assert ((a * b).sum(-1).abs() - 1.0).abs().max() < tolerance


def test_multiply_and_rotate_agree_with_scipy(generator: torch.Generator) -> None:
    a, b = random_quaternions(generator, 50), random_quaternions(generator, 50)
    v = torch.randn(50, 3, generator=generator, dtype=torch.float64)
    assert_same_rotation(
        rotation.multiply(a, b), torch.from_numpy((to_scipy(a) * to_scipy(b)).as_quat(scalar_first=True))
    )
    np.testing.assert_allclose(rotation.rotate(a, v), to_scipy(a).apply(v.numpy()), atol=1e-12)
    np.testing.assert_allclose(rotation.rotate_inverse(a, rotation.rotate(a, v)), v, atol=1e-12)


def test_rotate_broadcasts_in_both_directions(generator: torch.Generator) -> None:
    q, v = random_quaternions(generator, 5, 1), torch.randn(7, 3, generator=generator, dtype=torch.float64)
    assert rotation.rotate(q, v).shape == (5, 7, 3)
    np.testing.assert_allclose(rotation.rotate(q, v)[2, 3], rotation.rotate(q[2, 0], v[3]), atol=1e-12)


@pytest.mark.parametrize("scale", [0.0, 1e-12, 1e-6, 1e-4, 1e-3, 0.5, 3.0, math.pi])
def test_exponential_and_logarithm(generator: torch.Generator, scale: float) -> None:
    axis = torch.nn.functional.normalize(torch.randn(40, 3, generator=generator, dtype=torch.float64), dim=-1)
    v = scale * axis
    q = rotation.from_rotation_vector(v)
    assert_same_rotation(q, torch.from_numpy(Rotation.from_rotvec(v.numpy()).as_quat(scalar_first=True)))
    back = rotation.to_rotation_vector(q)
    if scale < math.pi:
        np.testing.assert_allclose(back, v, atol=1e-12, rtol=1e-9)
    np.testing.assert_allclose(rotation.to_rotation_vector(-q), back, atol=1e-12)


def test_logarithm_is_accurate_in_float32(generator: torch.Generator) -> None:
    v = torch.randn(1000, 3, generator=generator, dtype=torch.float64)
    v = v / v.norm(dim=-1, keepdim=True) * torch.logspace(-6, math.log10(3.0), 1000, dtype=torch.float64)[:, None]
    back = rotation.to_rotation_vector(rotation.from_rotation_vector(v.float()))
    assert ((back - v).norm(dim=-1) / v.norm(dim=-1)).max() < 1e-5


def test_exponential_and_logarithm_have_gradients_at_zero() -> None:
    v = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    rotation.to_rotation_vector(rotation.from_rotation_vector(v)).sum().backward()
    np.testing.assert_allclose(v.grad, np.ones(3), atol=1e-9)


def test_matrices(generator: torch.Generator) -> None:
    q = random_quaternions(generator, 200)
    half_turns = torch.tensor([[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]], dtype=torch.float64)
    q = torch.cat((q, half_turns))
    np.testing.assert_allclose(rotation.to_matrix(q), to_scipy(q).as_matrix(), atol=1e-12)
    assert_same_rotation(rotation.from_matrix(rotation.to_matrix(q)), q)
    tan_norm = torch.cat((rotation.to_matrix(q)[..., 0], rotation.to_matrix(q)[..., 2]), -1)
    np.testing.assert_allclose(rotation.tan_norm(q), tan_norm, atol=1e-12)


@pytest.mark.parametrize("order", ["ZXY", "XYZ", "ZYX", "YXZ", "Z", "XZ"])
def test_euler_angles_are_intrinsic(generator: torch.Generator, order: str) -> None:
    angles = torch.randn(30, len(order), generator=generator, dtype=torch.float64)
    expected = torch.from_numpy(Rotation.from_euler(order, angles.numpy()).as_quat(scalar_first=True).reshape(30, 4))
    assert_same_rotation(rotation.from_euler(angles, order), expected)


def test_to_euler_zxy_inverts_from_euler(generator: torch.Generator) -> None:
    q = random_quaternions(generator, 100)
    assert_same_rotation(rotation.from_euler(rotation.to_euler_zxy(q), "ZXY"), q)
    locked = rotation.from_euler(torch.tensor([[0.3, math.pi / 2, 0.4], [0.3, -math.pi / 2, 0.4]]).double(), "ZXY")
    assert_same_rotation(rotation.from_euler(rotation.to_euler_zxy(locked), "ZXY"), locked, 1e-6)


def test_slerp_takes_the_short_way(generator: torch.Generator) -> None:
    a, b = random_quaternions(generator, 60), random_quaternions(generator, 60)
    t = torch.full((60,), 0.5, dtype=torch.float64)
    np.testing.assert_allclose(rotation.slerp(a, b, 0 * t), a, atol=1e-12)
    assert_same_rotation(rotation.slerp(a, b, 2 * t), b)
    middle = rotation.slerp(a, b, t)
    half = [rotation.to_rotation_vector(rotation.multiply(rotation.conjugate(x), middle)).norm(dim=-1) for x in (a, b)]
    np.testing.assert_allclose(half[0], half[1], atol=1e-9)
    assert half[0].max() <= math.pi / 2 + 1e-9
    np.testing.assert_allclose(
        rotation.slerp(a, -b, t), middle * (middle * rotation.slerp(a, -b, t)).sum(-1, keepdim=True).sign(), atol=1e-9
    )


def test_heading_is_the_yaw_of_the_x_axis(generator: torch.Generator) -> None:
    q = random_quaternions(generator, 100)
    x = rotation.rotate(q, torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64))
    np.testing.assert_allclose(rotation.heading(q), torch.atan2(x[:, 1], x[:, 0]), atol=1e-12)
    free = rotation.multiply(rotation.conjugate(rotation.heading_rotation(q)), q)
    np.testing.assert_allclose(rotation.heading(free), np.zeros(100), atol=1e-9)


def test_between_is_the_smallest_turn(generator: torch.Generator) -> None:
    a, b = torch.randn(2, 100, 3, generator=generator, dtype=torch.float64)
    q = rotation.between(a, b)
    unit = torch.nn.functional.normalize(b, dim=-1)
    np.testing.assert_allclose(rotation.rotate(q, torch.nn.functional.normalize(a, dim=-1)), unit, atol=1e-9)
    angle = torch.arccos((torch.nn.functional.normalize(a, dim=-1) * unit).sum(-1))
    np.testing.assert_allclose(rotation.to_rotation_vector(q).norm(dim=-1), angle, atol=1e-9)
    opposite = rotation.between(a, -a)
    np.testing.assert_allclose(rotation.rotate(opposite, a), -a, atol=1e-9)


def test_twist_recovers_the_turn_about_an_axis(generator: torch.Generator) -> None:
    axis = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    angle = torch.linspace(-3.1, 3.1, 50, dtype=torch.float64)
    q = rotation.from_axis_angle(axis.expand(50, 3), angle)
    np.testing.assert_allclose(rotation.twist(q, axis), angle, atol=1e-9)
    np.testing.assert_allclose(rotation.twist(-q, axis), angle, atol=1e-9)
    swing = rotation.from_rotation_vector(torch.tensor([0.4, 0.0, -0.3], dtype=torch.float64))
    np.testing.assert_allclose(rotation.twist(rotation.multiply(swing, q), axis), angle, atol=1e-9)


def test_continuous_removes_sign_flips(generator: torch.Generator) -> None:
    smooth = rotation.from_rotation_vector(torch.linspace(0, 3, 40, dtype=torch.float64)[:, None] * torch.eye(3)[0])
    flipped = smooth * torch.where(torch.rand(40, 1, generator=generator) < 0.5, -1.0, 1.0)
    fixed = rotation.continuous(flipped)
    assert (fixed[1:] - fixed[:-1]).abs().max() < 0.1
    assert_same_rotation(fixed, smooth)
