"""Rotations as batched torch functions.

Quaternions are unit length, ``w x y z``, and act on column vectors: ``rotate(multiply(a, b), v)`` applies ``b`` first.
A rotation vector is axis times angle, in radians. All functions broadcast over leading dimensions, keep dtype and
device, and are differentiable almost everywhere.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

_EULER_AXES = {"X": 0, "Y": 1, "Z": 2}


def multiply(a: Float[Tensor, "*batch 4"], b: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
    """Hamilton product: the rotation ``b`` followed by ``a``."""
    aw, ax, ay, az = a.unbind(-1)
    bw, bx, by, bz = b.unbind(-1)
    return torch.stack(
        (
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ),
        -1,
    )


def conjugate(q: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
    """The inverse rotation."""
    return torch.cat((q[..., :1], -q[..., 1:]), -1)


def normalize(q: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
    """Scale to unit length."""
    return q / q.norm(dim=-1, keepdim=True).clamp_min(1e-12)


def identity(*batch: int, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> Tensor:
    """Unit quaternions of shape ``(*batch, 4)``."""
    q = torch.zeros(*batch, 4, dtype=dtype, device=device)
    q[..., 0] = 1.0
    return q


def rotate(q: Float[Tensor, "*batch 4"], v: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """Rotate ``v`` by ``q``: v + 2w(u×v) + 2u×(u×v) with u the vector part."""
    q, v = torch.broadcast_tensors(q, torch.cat((v[..., :1], v), -1))
    u, v = q[..., 1:], v[..., 1:]
    t = 2.0 * torch.linalg.cross(u, v)
    return v + q[..., :1] * t + torch.linalg.cross(u, t)


def rotate_inverse(q: Float[Tensor, "*batch 4"], v: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """Rotate ``v`` by the inverse of ``q``."""
    return rotate(conjugate(q), v)


def from_rotation_vector(v: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 4"]:
    """Exponential map: quaternion of a rotation vector (rad)."""
    squared = (v * v).sum(-1, keepdim=True)
    # The square root has no gradient at zero; there sin(θ/2)/θ is replaced by its Taylor series.
    small = squared < 1e-8
    angle = torch.where(small, torch.ones_like(squared), squared).sqrt()
    scale = torch.where(small, 0.5 - squared / 48.0, torch.sin(0.5 * angle) / angle)
    w = torch.where(small, 1.0 - squared / 8.0, torch.cos(0.5 * angle))
    return torch.cat((w, scale * v), -1)


def to_rotation_vector(q: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 3"]:
    """Logarithm: rotation vector (rad) with angle in [0, π]."""
    q = torch.where(q[..., :1] < 0, -q, q)
    w, u = q[..., :1], q[..., 1:]
    squared = (u * u).sum(-1, keepdim=True)
    small = squared < 1e-8
    length = torch.where(small, torch.ones_like(squared), squared).sqrt()
    scale = torch.where(small, 2.0 / w.clamp_min(0.5) * (1.0 - squared / 3.0), 2.0 * torch.atan2(length, w) / length)
    return scale * u


def from_axis_angle(axis: Float[Tensor, "*batch 3"], angle: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch 4"]:
    """Quaternion of a rotation by ``angle`` (rad) about the unit vector ``axis``."""
    half = 0.5 * angle[..., None]
    return torch.cat((torch.cos(half), torch.sin(half) * axis), -1)


def from_matrix(m: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 4"]:
    """Quaternion with w ≥ 0 of a rotation matrix (Shepperd's method)."""
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    candidates = torch.stack((xx + yy + zz, xx - yy - zz, yy - xx - zz, zz - xx - yy), -1)
    big = (candidates + 1.0).clamp_min(1e-12).sqrt()  # twice |w|, |x|, |y|, |z|; only the largest is used
    wx, wy, wz = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    xy, xz, yz = m[..., 0, 1] + m[..., 1, 0], m[..., 0, 2] + m[..., 2, 0], m[..., 1, 2] + m[..., 2, 1]
    square = big * big
    rows = torch.stack(
        (
            torch.stack((square[..., 0], wx, wy, wz), -1),
            torch.stack((wx, square[..., 1], xy, xz), -1),
            torch.stack((wy, xy, square[..., 2], yz), -1),
            torch.stack((wz, xz, yz, square[..., 3]), -1),
        ),
        -2,
    )
    best = candidates.argmax(-1)[..., None]
    row = rows.gather(-2, best[..., None].expand(*best.shape, 4)).squeeze(-2)
    q = normalize(row / (2.0 * big.gather(-1, best)))
    return torch.where(q[..., :1] < 0, -q, q)


def to_matrix(q: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 3 3"]:
    """Rotation matrix whose columns are the images of the x, y and z axes."""
    w, x, y, z = q.unbind(-1)
    rows = (
        torch.stack((1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)), -1),
        torch.stack((2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)), -1),
        torch.stack((2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)), -1),
    )
    return torch.stack(rows, -2)


def from_euler(angles: Float[Tensor, "*batch n"], order: str) -> Float[Tensor, "*batch 4"]:
    """Intrinsic Euler angles (rad) in the given order: ``"ZXY"`` is Rz·Rx·Ry, as in a BVH file's channels."""
    q = identity(*angles.shape[:-1], dtype=angles.dtype, device=angles.device)
    for i, letter in enumerate(order.upper()):
        axis = torch.zeros(3, dtype=angles.dtype, device=angles.device)
        axis[_EULER_AXES[letter]] = 1.0
        q = multiply(q, from_axis_angle(axis.expand(*angles.shape[:-1], 3), angles[..., i]))
    return q


def to_euler_zxy(q: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 3"]:
    """Angles (rad) with ``q = Rz·Rx·Ry``, the order most BVH files use."""
    m = to_matrix(q)
    x = torch.asin(m[..., 2, 1].clamp(-1.0, 1.0))
    locked = m[..., 2, 1].abs() > 1.0 - 1e-9  # only the sum or difference of z and y is defined: give it all to z
    z = torch.where(locked, torch.atan2(m[..., 1, 0], m[..., 0, 0]), torch.atan2(-m[..., 0, 1], m[..., 1, 1]))
    y = torch.where(locked, torch.zeros_like(x), torch.atan2(-m[..., 2, 0], m[..., 2, 2]))
    return torch.stack((z, x, y), -1)


def slerp(a: Float[Tensor, "*batch 4"], b: Float[Tensor, "*batch 4"], t: Float[Tensor, "*batch"]) -> Tensor:
    """Spherical interpolation from ``a`` (t = 0) to ``b`` (t = 1) along the shorter arc; t may leave [0, 1]."""
    step = to_rotation_vector(multiply(conjugate(a), b))
    return multiply(a, from_rotation_vector(t[..., None] * step))


def tan_norm(q: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 6"]:
    """The images of the x and z axes: a continuous encoding of a rotation (AMP, ASE)."""
    w, x, y, z = q.unbind(-1)
    return torch.stack(
        (
            1 - 2 * (y * y + z * z),
            2 * (x * y + w * z),
            2 * (x * z - w * y),
            2 * (x * z + w * y),
            2 * (y * z - w * x),
            1 - 2 * (x * x + y * y),
        ),
        -1,
    )


def heading(q: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch"]:
    """Yaw (rad) of the rotated x axis about +z."""
    w, x, y, z = q.unbind(-1)
    return torch.atan2(2 * (x * y + w * z), 1 - 2 * (y * y + z * z))


def heading_rotation(q: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 4"]:
    """The rotation about +z by the heading of ``q``; its conjugate makes things heading-free."""
    half = 0.5 * heading(q)
    zero = torch.zeros_like(half)
    return torch.stack((torch.cos(half), zero, zero, torch.sin(half)), -1)


def between(a: Float[Tensor, "*batch 3"], b: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 4"]:
    """The smallest rotation that takes the direction of ``a`` to that of ``b``."""
    a, b = torch.broadcast_tensors(a, b)
    a = a / a.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    b = b / b.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    w = 1.0 + (a * b).sum(-1, keepdim=True)
    # Opposite directions: any axis perpendicular to a will do.
    x_axis = torch.zeros_like(a)
    x_axis.scatter_(-1, a.abs().argmin(-1, keepdim=True), 1.0)
    axis = torch.where(w > 1e-6, torch.linalg.cross(a, b), torch.linalg.cross(a, x_axis))
    return normalize(torch.cat((torch.where(w > 1e-6, w, torch.zeros_like(w)), axis), -1))


def twist(q: Float[Tensor, "*batch 4"], axis: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
    """Angle (rad, in (-π, π]) of the part of ``q`` that turns about the unit vector ``axis`` (swing-twist)."""
    along = (q[..., 1:] * axis).sum(-1)
    angle = 2.0 * torch.atan2(along, q[..., 0])
    return torch.remainder(angle + math.pi, 2.0 * math.pi) - math.pi


def continuous(q: Float[Tensor, "frame *batch 4"]) -> Float[Tensor, "frame *batch 4"]:
    """Choose signs so that neighbouring frames lie on the same half of the sphere."""
    flips = (q[1:] * q[:-1]).sum(-1, keepdim=True) < 0
    sign = torch.where(flips, -1.0, 1.0).to(q.dtype).cumprod(0)
    return torch.cat((q[:1], q[1:] * sign), 0)
