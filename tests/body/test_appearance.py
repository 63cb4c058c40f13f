import mujoco
import numpy as np
import pytest

from anyskill.body.appearance import LEFT, RIGHT, appearance
from anyskill.body.humanoid import CHARACTERS, HUMANOID
from anyskill.body.model import build_model
from anyskill.render.camera import Camera
from anyskill.render.scene import build_scene


def drawn_bounds() -> np.ndarray:
    """Lowest and highest point of the standing figure, from the bounding boxes of what is drawn."""
    model = build_scene(HUMANOID, (None,), (), (Camera(),))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    figure = model.geom_type != mujoco.mjtGeom.mjGEOM_PLANE
    half = np.abs(data.geom_xmat[figure].reshape(-1, 3, 3)) @ model.geom_aabb[figure, 3:, None]
    return np.array([(data.geom_xpos[figure] - half[..., 0]).min(0), (data.geom_xpos[figure] + half[..., 0]).max(0)])


@pytest.mark.parametrize("character", CHARACTERS.values(), ids=lambda character: character.name)
def test_every_body_is_drawn(character):
    looks = appearance(character)
    assert list(looks) == [body.name for body in character.bodies]
    assert all(looks.values())


def test_height_is_that_of_a_person_standing_on_the_ground():
    low, high = drawn_bounds()
    assert abs(low[2]) < 0.02
    assert 1.6 < high[2] - low[2] < 1.7


@pytest.mark.parametrize(
    "body", [body for body in HUMANOID.bodies if "arm" in body.name or body.name[-5:] in ("thigh", "_shin")]
)
def test_limbs_coincide_with_what_collides(body):
    """Rays from outside meet the drawn limb within 2.5 cm of the collision shape."""
    model = build_scene(HUMANOID, (None,), (), (Camera(),))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    drawn = 1 + [other.name for other in HUMANOID.bodies].index(body.name)
    physics = build_model(HUMANOID)
    truth = mujoco.MjData(physics)
    mujoco.mj_forward(physics, truth)
    centre = truth.geom(f"{body.name}_0").xpos
    radius = physics.geom(f"{body.name}_0").size[0]
    for geom in range(model.ngeom):
        if model.geom_bodyid[geom] != drawn:
            model.geom_rgba[geom, 3] = 0  # rays pass
    for angle in np.linspace(0, 2 * np.pi, 8, endpoint=False):
        outward = np.array([np.cos(angle), np.sin(angle), 0.0])
        found = np.zeros(1, np.int32)
        distance = mujoco.mj_ray(model, data, centre + 0.3 * outward, -outward, None, 1, -1, found)
        assert found[0] >= 0
        assert abs((0.3 - distance) - radius) < 0.025


def test_left_and_right_differ_in_colour_alone():
    looks = appearance(HUMANOID)
    for name in ("upper_arm", "lower_arm", "hand", "thigh", "shin", "foot"):
        for left, right in zip(looks[f"left_{name}"], looks[f"right_{name}"], strict=True):
            assert (left.kind, left.size, left.start, left.end) == (right.kind, right.size, right.start, right.end)
            assert left.color == right.color or (left.color, right.color) == (LEFT, RIGHT)
    for name in ("upper_arm", "lower_arm", "foot"):
        assert LEFT in {shape.color for shape in looks[f"left_{name}"]}


def test_tint_draws_all_colours_towards_it():
    tint = (0.0, 1.0, 0.0)
    plain, tinted = appearance(HUMANOID), appearance(HUMANOID, tint)
    for name, shapes in plain.items():
        for before, after in zip(shapes, tinted[name], strict=True):
            assert before.size == after.size
            assert np.linalg.norm(np.subtract(after.color, tint)) < 0.5 * np.linalg.norm(
                np.subtract(before.color, tint)
            )
