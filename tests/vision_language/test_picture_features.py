import math

import pytest
import torch

from anyskill.body.state import BodyState
from anyskill.render.camera import Camera, around
from anyskill.render.raytracer import Raytracer
from anyskill.sim.scene import ball, door
from anyskill.vision_language.model import VisionLanguageError
from anyskill.vision_language.picture_features import (
    PictureFeatures,
    Views,
    facing_forward,
    fingerprint,
    same_model,
)
from anyskill.vision_language.projection_states import MotionStates

from .bodies import elsewhere, library
from .color_model import ColorModel

VIEWS = Views(count=3, size=32)


def draw(count: int, frames: int = 1) -> BodyState:
    return MotionStates(library(), frames)(count, torch.Generator().manual_seed(3))


def test_a_feature_is_the_mean_over_views() -> None:
    model, states = ColorModel(), draw(5)
    features = PictureFeatures(model, VIEWS, batch=4)(states)  # two batches, the second not full
    cameras = around(3, Camera(follow_heading=True))
    at_origin, _ = facing_forward(states)
    for i, feature in enumerate(features):
        raytracer = Raytracer(1, size=(32, 32), cameras=cameras, shadows=False)
        views = [model.encode_images(picture[None])[0] for picture in raytracer.render(at_origin[i])[0]]
        mean = (views[0] + views[1] + views[2]) / 3
        assert torch.allclose(feature, mean / mean.norm(), atol=1e-5)
        assert not torch.allclose(views[0], views[1], atol=1e-2)


@pytest.mark.parametrize("frames", [1, 3])
def test_features_do_not_depend_on_place_and_heading(frames: int) -> None:
    states, pictures = draw(6, frames), PictureFeatures(ColorModel(frames=frames), VIEWS, batch=6)
    moved = elsewhere(states, 5.3, -2.1, 2.0)
    difference = (pictures(states) - pictures(moved)).norm(dim=-1)
    assert difference.max() < 0.02  # a ray here and there falls beside an edge
    assert (pictures(states)[0] - pictures(states)[1]).norm() > 2 * difference.max()


def test_a_history_keeps_its_own_motion() -> None:
    states = draw(4, 3)
    aligned, _ = facing_forward(states, frames=3)
    assert torch.allclose(aligned.positions[:, -1, 0, :2], torch.zeros(4, 2), atol=1e-6)
    travelled = (states.positions[:, -1, 0] - states.positions[:, 0, 0]).norm(dim=-1)
    assert torch.allclose(aligned.positions[:, 0, 0, :2].norm(dim=-1), travelled, atol=1e-5)


def test_the_order_of_pictures_counts() -> None:
    states, pictures = draw(6, 2), PictureFeatures(ColorModel(frames=2), VIEWS, batch=6)
    assert (pictures(states) - pictures(states[:, [1, 0]])).norm(dim=-1).max() > 0.01


def test_objects_are_seen_from_the_body() -> None:
    pictures = PictureFeatures(ColorModel(), Views(count=2, size=48), objects=[ball()], batch=2)
    states = draw(2)
    places = torch.tensor([[[0.6, 0.0, 0.13]], [[0.0, 0.8, 0.13]]]) + states.positions[:, :1] * torch.tensor([1, 1, 0])
    upright = torch.tensor([1.0, 0, 0, 0]).expand(2, 1, 4)
    still = torch.zeros(2, 1, 3)
    objects = BodyState(places, upright, still, still, still)
    near = pictures(states, objects)
    moved = pictures(elsewhere(states, 4.0, 4.0, 1.5), elsewhere(objects, 4.0, 4.0, 1.5))
    away = pictures(states, elsewhere(objects, 0.5, 0.5, 0.0))
    assert (near - moved).norm(dim=-1).max() < 0.01
    assert (near - away).norm(dim=-1).min() > 0.02


def test_what_stays_in_the_world_cannot_be_seen_from_the_body() -> None:
    with pytest.raises(VisionLanguageError, match="door has surroundings"):
        PictureFeatures(ColorModel(), VIEWS, objects=[door()])


def test_shapes_are_checked() -> None:
    with pytest.raises(VisionLanguageError, match=r"batch shape \(2,\) do not fit a model of 3 picture"):
        facing_forward(draw(2), frames=3)
    with pytest.raises(VisionLanguageError, match=r"give \(n\)"):
        facing_forward(draw(2, 3), frames=1)


def test_no_states_no_features() -> None:
    assert PictureFeatures(ColorModel(), VIEWS, batch=2)(draw(2)[:0]).shape == (0, 12)


def test_fingerprints_tell_models_apart() -> None:
    mine = fingerprint(ColorModel())
    assert same_model(mine, fingerprint(ColorModel(name="the same elsewhere")))
    assert same_model(mine, mine.bfloat16())
    assert not same_model(mine, fingerprint(ColorModel(seed=1)))
    assert not same_model(mine, fingerprint(ColorModel(dimension=13)))
    assert not same_model(mine, fingerprint(ColorModel(frames=2)))


def test_cameras_stand_around_the_body() -> None:
    yaws = [camera.yaw for camera in Views(4, distance=2.5).cameras]
    assert yaws == pytest.approx([0, math.pi / 2, math.pi, 1.5 * math.pi])
    assert all(camera.distance == 2.5 for camera in Views(4, distance=2.5).cameras)
