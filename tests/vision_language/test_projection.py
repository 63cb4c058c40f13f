from pathlib import Path

import pytest
import torch

from anyskill.body.humanoid import HUMANOID, SWORD_AND_SHIELD
from anyskill.body.state import BodyState
from anyskill.learning.state import write_state
from anyskill.vision_language.bodyclip.model import load_bodyclip
from anyskill.vision_language.model import VisionLanguageError
from anyskill.vision_language.picture_features import PictureFeatures, Views
from anyskill.vision_language.projection import Projection, load_projection
from anyskill.vision_language.projection_states import MotionStates

from .bodies import elsewhere, library
from .color_model import ColorModel

VIEWS = Views(count=2, size=32, interval=0.1)


def make(
    model: ColorModel | None = None, objects: int = 0, units: tuple[int, ...] = (64, 64), bf16: bool = False
) -> Projection:
    generator = torch.Generator().manual_seed(0)
    return Projection.of(
        model or ColorModel(), HUMANOID, generator, views=VIEWS, objects=objects, units=units, bf16=bf16
    )


def draw(count: int, frames: int = 1) -> BodyState:
    return MotionStates(library(), frames)(count, torch.Generator().manual_seed(3))


@pytest.mark.parametrize("frames", [1, 3])
def test_features_are_of_unit_length_and_free_of_place_and_heading(frames: int) -> None:
    projection, states = make(ColorModel(frames=frames)), draw(8, frames)
    features = projection(states)
    assert features.shape == (8, 12)
    assert torch.allclose(features.norm(dim=-1), torch.ones(8), atol=1e-5)
    assert torch.allclose(features, projection(elsewhere(states, -3.0, 7.0, 2.5)), atol=1e-4)
    assert not torch.allclose(features[0], features[1], atol=1e-3)


def test_height_and_tilt_are_seen() -> None:
    projection, states = make(), draw(1)
    higher = BodyState(
        states.positions + torch.tensor([0, 0, 0.3]),
        *(states.rotations, states.linear_velocities, states.angular_velocities, states.contact_forces),
    )
    assert (projection(states) - projection(higher)).norm() > 1e-3


def test_velocities_are_not_seen() -> None:
    states = draw(2)
    faster = BodyState(
        states.positions,
        states.rotations,
        5 * states.linear_velocities + 1,
        states.angular_velocities + 1,
        states.contact_forces,
    )
    assert torch.equal(make()(states), make()(faster))


def test_objects_count() -> None:
    projection, states = make(objects=1), draw(3)
    zero = torch.zeros(3, 1, 3)
    upright = torch.tensor([1.0, 0, 0, 0]).expand(3, 1, 4)
    objects = BodyState(zero + torch.tensor([1.0, 0.5, 0.2]), upright, zero, zero, zero)
    features = projection(states, objects)
    assert torch.allclose(features, projection(elsewhere(states, 2, 2, 1.0), elsewhere(objects, 2, 2, 1.0)), atol=1e-4)
    assert (features - projection(states, elsewhere(objects, 1, 0, 0))).norm(dim=-1).min() > 1e-3
    with pytest.raises(VisionLanguageError, match=r"15 bodies and objects .* the humanoid and 1 object"):
        projection(states)
    with pytest.raises(VisionLanguageError, match=r"16 bodies and objects .* 0 object"):
        make()(states, objects)


def test_wrong_histories_are_refused() -> None:
    with pytest.raises(VisionLanguageError, match=r"batch shape \(2,\) do not fit"):
        make(ColorModel(frames=3))(draw(2))


def test_a_file_holds_all(tmp_path: Path) -> None:
    model = ColorModel(frames=3)
    projection, states = make(model, units=(32, 16), bf16=True), draw(5, 3)
    projection.fit_scales(projection.describe(states), torch.rand(5, 12))
    projection.save(tmp_path / "p.safetensors")
    loaded = Projection.load(tmp_path / "p.safetensors", model)
    assert loaded.config == projection.config
    assert loaded.config.views == VIEWS
    assert torch.allclose(loaded(states), projection(states), atol=2e-2)
    assert (loaded(states) * projection(states)).sum(-1).min() > 0.999
    assert (tmp_path / "p.safetensors").stat().st_size < 2 * sum(p.numel() for p in projection.parameters()) + 20_000


def test_other_models_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.safetensors"
    make(ColorModel(name="mine")).save(path)
    assert Projection.load(path, ColorModel(name="mine, elsewhere")).config.model == "mine"
    for other in (ColorModel(name="other", seed=1), ColorModel(name="other", dimension=13)):
        with pytest.raises(VisionLanguageError, match="trained for mine, whose features are not those of other"):
            Projection.load(path, other)


def test_files_that_are_no_projection(tmp_path: Path) -> None:
    path = tmp_path / "p.safetensors"
    with pytest.raises(VisionLanguageError, match="no such file"):
        Projection.load(path)
    write_state(path, {"header": {"format": 99, "config": {}}, "tensors": {}})
    with pytest.raises(VisionLanguageError, match="format 99"):
        Projection.load(path)
    write_state(path, {"weights": torch.zeros(3)})
    with pytest.raises(VisionLanguageError, match="is no projection"):
        Projection.load(path)
    make().save(path)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(VisionLanguageError, match="damaged"):
        Projection.load(path)


def test_another_character() -> None:
    projection = Projection.of(ColorModel(), SWORD_AND_SHIELD, torch.Generator().manual_seed(0), views=VIEWS)
    with pytest.raises(VisionLanguageError, match="sees the sword"):
        projection(draw(1))


def test_bodyclip_brings_its_own_projection_and_others_none() -> None:
    with pytest.raises(VisionLanguageError, match=r"colors brings no projection; train one .*--vlm colors"):
        load_projection(ColorModel())
    model = load_bodyclip()
    projection, states = load_projection(model), draw(16, model.frames)
    features = projection(states)
    torch.testing.assert_close(features, projection(elsewhere(states, 3.0, -2.0, 1.0)), atol=1e-4, rtol=0)
    pictures = PictureFeatures(model, projection.views, HUMANOID, batch=4)(states)
    assert (features * pictures).sum(-1).mean() > (features * pictures.roll(1, 0)).sum(-1).mean() + 0.2
    with pytest.raises(VisionLanguageError, match="no objects"):
        projection(states, states)
