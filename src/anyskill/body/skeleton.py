"""Kinematics of a character: joint angles ↔ poses of all bodies, batched in torch.

Three ways to write one pose:

- *local rotations* ``(*batch, body, 4)``: each body relative to its parent, the root relative to the world;
- *degrees of freedom* ``(*batch, dof)``: a rotation vector for a ball joint, an angle about +y for a hinge (rad). This
  is what a PD target is;
- MuJoCo's ``qpos``/``qvel``: the free root, then a quaternion or an angle a joint.
"""

from functools import cached_property, lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.humanoid import Character, Joint


class Skeleton:
    """The tree of a character's bodies. Tensors are float64 on the CPU; methods follow the dtype of their input."""

    def __init__(self, character: Character) -> None:
        self.character = character
        self.names = tuple(body.name for body in character.bodies)
        self.parents = tuple(-1 if body.parent is None else self.index(body.parent) for body in character.bodies)
        self.offsets = torch.tensor([body.offset for body in character.bodies], dtype=torch.float64)
        self.joints: dict[int, Joint] = {i: b.joint for i, b in enumerate(character.bodies) if b.joint is not None}
        self.dof_slices: dict[int, slice] = {}
        start = 0
        for body, joint in self.joints.items():
            stop = start + len(joint.limits_degrees)
            self.dof_slices[body] = slice(start, stop)
            start = stop
        self.num_dof = start
        self.num_bodies = len(self.names)
        self.key_bodies = tuple(self.index(name) for name in character.key_bodies)
        self.contact_bodies = tuple(self.index(name) for name in character.contact_bodies)

    def index(self, name: str) -> int:
        """Position of a body by name; raises ValueError for an unknown one."""
        return self.names.index(name)

    @cached_property
    def limits(self) -> Float[Tensor, "dof 2"]:
        """Lowest and highest value of each degree of freedom (rad)."""
        pairs = [pair for joint in self.joints.values() for pair in joint.limits_degrees]
        return torch.deg2rad(torch.tensor(pairs, dtype=torch.float64))

    @cached_property
    def action_offset(self) -> Float[Tensor, "dof"]:
        """PD target of a zero action (rad): the middle of a hinge's range, 0 for a ball."""
        middle = self.limits.mean(-1)
        return torch.where(self._is_hinge, middle, torch.zeros_like(middle))

    @cached_property
    def action_scale(self) -> Float[Tensor, "dof"]:
        """PD target = offset + scale·action: 0.7 of a hinge's range; 1.2 of a ball's largest limit, at most π."""
        scale = torch.empty(self.num_dof, dtype=torch.float64)
        for body, dofs in self.dof_slices.items():
            limits = self.limits[dofs]
            if self.joints[body].kind == "hinge":
                scale[dofs] = 0.7 * (limits[0, 1] - limits[0, 0])
            else:
                scale[dofs] = (1.2 * limits.abs().max()).clamp_max(torch.pi)
        return scale

    @cached_property
    def _is_hinge(self) -> Tensor:
        kinds = [joint.kind == "hinge" for joint in self.joints.values() for _ in joint.limits_degrees]
        return torch.tensor(kinds)

    def rotations_from_dofs(
        self, root_rotation: Float[Tensor, "*batch 4"], dofs: Float[Tensor, "*batch dof"]
    ) -> Float[Tensor, "*batch body 4"]:
        """Local rotations of a pose given as degrees of freedom."""
        local = rotation.identity(*dofs.shape[:-1], self.num_bodies, dtype=dofs.dtype, device=dofs.device)
        local[..., 0, :] = root_rotation
        for body, slot in self.dof_slices.items():
            value = dofs[..., slot]
            if self.joints[body].kind == "hinge":
                value = torch.nn.functional.pad(value, (1, 1))  # about +y
            local[..., body, :] = rotation.from_rotation_vector(value)
        return local

    def dofs_from_rotations(self, local: Float[Tensor, "*batch body 4"]) -> Float[Tensor, "*batch dof"]:
        """Degrees of freedom of local rotations; a hinge keeps only its turn about +y."""
        y_axis = torch.tensor([0.0, 1.0, 0.0], dtype=local.dtype, device=local.device)
        parts = []
        for body, joint in self.joints.items():
            if joint.kind == "hinge":
                parts.append(rotation.twist(local[..., body, :], y_axis)[..., None])
            else:
                parts.append(rotation.to_rotation_vector(local[..., body, :]))
        return torch.cat(parts, -1)

    def forward(
        self, root_position: Float[Tensor, "*batch 3"], local: Float[Tensor, "*batch body 4"]
    ) -> tuple[Float[Tensor, "*batch body 3"], Float[Tensor, "*batch body 4"]]:
        """Forward kinematics: world positions (m) and rotations of all bodies."""
        offsets = self.offsets.to(local)
        positions, rotations = [root_position], [local[..., 0, :]]
        for body in range(1, self.num_bodies):
            parent = self.parents[body]
            positions.append(positions[parent] + rotation.rotate(rotations[parent], offsets[body]))
            rotations.append(rotation.multiply(rotations[parent], local[..., body, :]))
        return torch.stack(positions, -2), torch.stack(rotations, -2)

    def local_rotations(self, rotations: Float[Tensor, "*batch body 4"]) -> Float[Tensor, "*batch body 4"]:
        """Local rotations of bodies given in the world frame."""
        parents = rotations[..., list(self.parents[1:]), :]
        local = rotation.multiply(rotation.conjugate(parents), rotations[..., 1:, :])
        return torch.cat((rotations[..., :1, :], local), -2)

    def dof_velocities(
        self, rotations: Float[Tensor, "*batch body 4"], angular_velocities: Float[Tensor, "*batch body 3"]
    ) -> Float[Tensor, "*batch dof"]:
        """Angular velocity of each joint in its child's frame (rad/s): all three of a ball, the y of a hinge."""
        children = list(self.joints)
        parents = [self.parents[body] for body in children]
        relative = angular_velocities[..., children, :] - angular_velocities[..., parents, :]
        relative = rotation.rotate_inverse(rotations[..., children, :], relative)
        return relative.flatten(-2)[..., self._velocity_columns.to(relative.device)]

    @cached_property
    def _velocity_columns(self) -> Tensor:
        """Which of the 3 components of every joint are degrees of freedom."""
        columns = []
        for i, joint in enumerate(self.joints.values()):
            columns += [3 * i + 1] if joint.kind == "hinge" else [3 * i, 3 * i + 1, 3 * i + 2]
        return torch.tensor(columns)

    def qpos(
        self, root_position: Float[Tensor, "*batch 3"], local: Float[Tensor, "*batch body 4"]
    ) -> Float[Tensor, "*batch nq"]:
        """MuJoCo generalised positions of a pose."""
        y_axis = torch.tensor([0.0, 1.0, 0.0], dtype=local.dtype, device=local.device)
        parts = [root_position, local[..., 0, :]]
        for body, joint in self.joints.items():
            turn = local[..., body, :]
            parts.append(rotation.twist(turn, y_axis)[..., None] if joint.kind == "hinge" else turn)
        return torch.cat(parts, -1)

    @cached_property
    def initial_qpos(self) -> Float[Tensor, "nq"]:
        """The initial pose as MuJoCo generalised positions: upright, all joints at zero, facing +x."""
        root = torch.tensor([0.0, 0.0, self.character.rest_height], dtype=torch.float64)
        return self.qpos(root, rotation.identity(self.num_bodies, dtype=torch.float64))

    def pose(
        self, qpos: Float[Tensor, "*batch nq"]
    ) -> tuple[Float[Tensor, "*batch 3"], Float[Tensor, "*batch body 4"]]:
        """Root position and local rotations of MuJoCo generalised positions: the inverse of ``qpos``."""
        local = rotation.identity(*qpos.shape[:-1], self.num_bodies, dtype=qpos.dtype, device=qpos.device)
        local[..., 0, :] = qpos[..., 3:7]
        start = 7
        for body, joint in self.joints.items():
            if joint.kind == "hinge":
                half = 0.5 * qpos[..., start]
                local[..., body, 0], local[..., body, 2] = torch.cos(half), torch.sin(half)
                start += 1
            else:
                local[..., body, :] = qpos[..., start : start + 4]
                start += 4
        return qpos[..., :3], local


@lru_cache
def skeleton_of(character: Character) -> Skeleton:
    """The shared skeleton of a character."""
    return Skeleton(character)
