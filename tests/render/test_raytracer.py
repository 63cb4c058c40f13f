import subprocess
import sys

import pytest
import torch

from anyskill.body.appearance import EMBLEM, LEFT, RIGHT, SKIN
from anyskill.body.humanoid import SWORD_AND_SHIELD, Geom
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.render.camera import Camera, around
from anyskill.render.raytracer import Raytracer, RenderError
from anyskill.render.scene import TILE
from anyskill.sim.scene import SceneObject, chair

from .poses import ARMS_UP, LYING, STANDING, pose


@pytest.fixture(scope="module")
def raytracer() -> Raytracer:
    return Raytracer(1)


def similar(pictures: torch.Tensor, color: tuple[float, float, float]) -> torch.Tensor:
    """Where the hue is that of a colour, light or shaded."""
    values = pictures.float()
    reference = torch.tensor(color)
    cosine = (values @ reference) / (values.norm(dim=-1) * reference.norm()).clamp_min(1e-6)
    return cosine > 0.99


def body_mask(state: BodyState, size: int = 224, **camera: float) -> torch.Tensor:
    """Pixels of the body: those that change with its tint."""
    plain, tinted = (
        Raytracer(1, size=(size, size), cameras=(Camera(**camera),), tints=(tint,), shadows=False).render(state)[0, 0]
        for tint in (None, (0.0, 1.0, 0.0))
    )
    return (plain != tinted).any(-1)


def extent(mask: torch.Tensor, dim: int) -> tuple[int, int]:
    """First and last row (dim 0) or column (dim 1) of a mask."""
    places = mask.any(1 - dim).nonzero()[:, 0]
    return int(places[0]), int(places[-1])


def test_red_is_red_and_blue_is_blue():
    ball = Geom("sphere", (0.3,), (0, 0, 0), 1)
    balls = (
        SceneObject("red", (ball,), (1.0, -0.4, 1.0), rgba=(1.0, 0.0, 0.0, 1.0)),
        SceneObject("blue", (ball,), (1.0, 0.4, 1.0), rgba=(0.0, 0.0, 1.0, 1.0)),
    )
    picture = Raytracer(1, size=(64, 64), objects=balls).render(STANDING)[0, 0]
    red, blue = picture[32, 18].tolist(), picture[32, 46].tolist()  # the camera sees +y on the right
    assert red[0] > 120
    assert max(red[1:]) == 0
    assert blue[2] > 120
    assert max(blue[:2]) == 0


def test_picture_has_its_shape_and_is_not_blank(raytracer):
    pictures = raytracer.render(STANDING)
    assert pictures.shape == (1, 1, 224, 224, 3)
    assert pictures.dtype == torch.uint8
    assert pictures.float().std() > 20
    assert len(pictures.flatten(0, 3).unique(dim=0)) > 500


def test_width_comes_before_height():
    assert Raytracer(1, size=(64, 48)).render(STANDING).shape == (1, 1, 48, 64, 3)


def test_pictures_are_kept_when_the_next_one_is_drawn(raytracer):
    first = raytracer.render(STANDING)
    copy = first.clone()
    raytracer.render(LYING)
    assert torch.equal(first, copy)


def test_front_back_left_and_right_can_be_told_apart():
    front, left, back, right = Raytracer(1, cameras=around(4)).render(STANDING)[0]
    emblem, orange, blue = (
        [int(similar(view, color).sum()) for view in (front, left, back, right)] for color in (EMBLEM, RIGHT, LEFT)
    )
    assert emblem[0] > 40
    assert emblem[2] == 0
    assert blue[1] > 5 * max(1, blue[3])
    assert orange[3] > 5 * max(1, orange[1])
    columns = torch.arange(224.0)
    for view, sign in ((front, 1), (back, -1)):  # from the front, the body's left is on the right
        middle_of_blue = (similar(view, LEFT).sum(0) * columns).sum() / similar(view, LEFT).sum()
        middle_of_orange = (similar(view, RIGHT).sum(0) * columns).sum() / similar(view, RIGHT).sum()
        assert sign * (middle_of_blue - middle_of_orange) > 20


def test_the_face_is_seen_from_the_front_only():
    front, _, back, _ = Raytracer(1, cameras=around(4)).render(STANDING)[0]
    heads = [view[44:72, 95:129] for view in (front, back)]
    whites_of_eyes = [int((head.min(-1).values > 200).sum()) for head in heads]
    skin = [int(similar(head, SKIN).sum()) for head in heads]
    assert whites_of_eyes[0] >= 8
    assert whites_of_eyes[1] == 0
    assert skin[0] > 2 * skin[1]


@pytest.mark.parametrize(("state", "low", "high"), [(STANDING, 0.55, 0.95), (ARMS_UP, 0.75, 0.99)])
def test_body_fills_the_picture_without_being_cut(state, low, high):
    top, bottom = extent(body_mask(state), 0)
    assert top > 0
    assert bottom < 223
    assert low < (bottom - top + 1) / 224 < high


@pytest.mark.parametrize("yaw", [0.0, 0.8, 1.57, 3.14])
def test_lying_body_is_not_cut(yaw):
    mask = body_mask(LYING, yaw=yaw)
    assert mask.sum() > 1000
    for dim in (0, 1):
        first, last = extent(mask, dim)
        assert first > 0
        assert last < 223


def test_camera_follows(raytracer):
    there = pose(xy=(6 * 2 * TILE, -4 * 2 * TILE))  # whole periods of the checker
    here, moved = raytracer.render(STANDING), raytracer.render(there)
    assert ((here.int() - moved.int()).abs().amax(-1) > 8).float().mean() < 0.005
    off_the_pattern = raytracer.render(pose(xy=(TILE, 0.0)))
    assert ((here.int() - off_the_pattern.int()).abs().amax(-1) > 8).float().mean() > 0.05


def test_worlds_and_views_do_not_depend_on_each_other(raytracer):
    states, cameras = BodyState.cat([STANDING, LYING]), around(2)
    together = Raytracer(2, cameras=cameras).render(states)
    for world in range(2):
        for view, camera in enumerate(cameras):
            alone = Raytracer(1, cameras=(camera,)).render(states[world : world + 1])[0, 0]
            assert torch.equal(together[world, view], alone)


def test_two_figures_are_drawn_where_they_stand():
    beside = pose(xy=(0.0, 0.8))
    both = Raytracer(1, tints=(None, (0.1, 0.8, 0.2))).render(STANDING, beside)[0, 0]
    green = (both[..., 1].int() - both[..., [0, 2]].max(-1).values.int()) > 40
    assert green[:, 140:].sum() > 1500
    assert green[:, :125].sum() < 200  # the first figure keeps its colours


def test_objects_stand_at_their_pose_until_they_are_moved():
    raytracer = Raytracer(1, objects=(chair(),))
    before = raytracer.render(STANDING)
    assert not torch.equal(before, Raytracer(1).render(STANDING))
    upright = torch.tensor([[[1.0, 0, 0, 0]]])
    away = raytracer.render(STANDING, objects=(torch.tensor([[[50.0, 0, 0]]]), upright))
    assert torch.equal(away, Raytracer(1).render(STANDING))
    back = raytracer.render(STANDING, objects=(torch.tensor([[chair().position]]), upright))
    assert torch.equal(back, before)


def test_sword_and_shield_are_drawn():
    skeleton = skeleton_of(SWORD_AND_SHIELD)
    local = torch.zeros(1, skeleton.num_bodies, 4)
    local[..., 0] = 1
    state = BodyState.at_rest(skeleton, torch.tensor([[0, 0, 0.89]]), local)
    picture = Raytracer(1, SWORD_AND_SHIELD, cameras=(Camera(yaw=1.57),)).render(state)[0, 0]
    plain = Raytracer(1, cameras=(Camera(yaw=1.57),)).render(STANDING)[0, 0]
    assert similar(picture, LEFT).sum() > similar(plain, LEFT).sum() + 1000


def test_supersampling_smooths_edges(raytracer):
    smooth = Raytracer(1, samples=2).render(STANDING).float()
    plain = raytracer.render(STANDING).float()
    assert (smooth - plain).abs().mean() < 3
    assert smooth.diff(dim=3).abs().square().mean() < plain.diff(dim=3).abs().square().mean()


def test_wrong_shapes_are_refused(raytracer):
    with pytest.raises(RenderError, match=r"1 figure\(s\)"):
        raytracer.render(STANDING, STANDING)
    with pytest.raises(RenderError, match="in 1 worlds"):
        raytracer.render(BodyState.cat([STANDING, STANDING]))
    with pytest.raises(RenderError, match="0 bodies"):
        raytracer.render(STANDING, objects=(torch.zeros(1, 1, 3), torch.zeros(1, 1, 4)))
    with pytest.raises(RenderError, match="at least one"):
        Raytracer(0)


def test_no_opengl_is_loaded():
    code = """
import sys
from tests.render.poses import STANDING
from anyskill.render.raytracer import Raytracer
Raytracer(1, size=(16, 16)).render(STANDING)
libraries = open("/proc/self/maps").read()
found = [name for name in ("libGL", "libEGL", "libOSMesa", "libOpenGL", "libgallium", "swrast") if name in libraries]
found += [name for name in sys.modules if name.split(".")[0] == "OpenGL"]
assert not found, found
"""
    if not sys.platform.startswith("linux"):
        pytest.skip("the loaded libraries are read from /proc")
    subprocess.run([sys.executable, "-c", code], check=True)
