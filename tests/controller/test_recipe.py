"""The whole way from motions to a controller, at a size for tests."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from anyskill.cli import controller as cli
from anyskill.controller.controller import Controller, ControllerError
from anyskill.controller.distillation import Distillation
from anyskill.controller.origin import Origin
from anyskill.controller.provenance import Provenance
from anyskill.controller.recipe import Recipe, Stages
from anyskill.controller.teacher import Teacher
from anyskill.learning.run_folder import RunFolder
from anyskill.sim.engine import make_engine
from tests.controller.made_up import library, tiny, write_dataset
from tests.controller.test_distillation import RISER, STUDENT, TEACHER

CALM = tiny("calm")
STAGES = Stages(TEACHER, RISER, replace(STUDENT, log_sigma=-2.5), replace(CALM, bf16=True, log_sigma=-2.7))
TEACHER_SAMPLES, RISING_SAMPLES, STUDENT_SAMPLES, TUNING_SAMPLES = 3 * 16 * 8, 16 * 8, 5 * 16 * 4, 2 * 16 * 8


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ANYSKILL_CACHE", str(tmp_path / "cache"))
    return write_dataset(tmp_path, little=-0.5, more=-1.0, much=-1.5)


def run(folder: Path, dataset: Path, tuning_samples: float = TUNING_SAMPLES, seed: int = 3) -> bool:
    recipe = Recipe(folder, dataset, seed=seed, progress=False)
    return recipe.distil_and_tune(TEACHER_SAMPLES, RISING_SAMPLES, STUDENT_SAMPLES, tuning_samples, STAGES)


def test_teacher_then_student_then_calm(dataset: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert run(folder, dataset)
    done = {stage: len(RunFolder.open(folder / stage).metrics()) for stage in ("teacher", "rising", "student", "calm")}
    assert done == {"teacher": 3, "rising": 1, "student": 5, "calm": 2}
    assert all(RunFolder.open(folder / stage).config["seed"] == 3 for stage in done)
    student, tuned = (Controller.load(folder / stage / "controller.safetensors") for stage in ("student", "calm"))
    assert tuned.names[::4] == student.names[::4] == ("little", "more", "much")
    # CALM went on from the student: two iterations have moved its weights, but not far.
    before, after = (torch.nn.utils.parameters_to_vector(each.policy.parameters()) for each in (student, tuned))
    assert 0 < (after - before).norm() / before.norm() < 0.5
    written = (folder / "teacher" / "checkpoints").stat().st_mtime_ns
    assert run(folder, dataset, tuning_samples=3 * 16 * 8)  # more of the last stage; the others are done
    assert (folder / "teacher" / "checkpoints").stat().st_mtime_ns == written
    assert len(RunFolder.open(folder / "calm").metrics()) == 3
    assert not torch.equal(Controller.load(folder / "calm" / "controller.safetensors").latents, tuned.latents)


def weights(module: torch.nn.Module) -> torch.Tensor:
    return torch.nn.utils.parameters_to_vector(module.parameters())


def test_a_run_goes_on_from_another(dataset: Path, tmp_path: Path) -> None:
    assert run(tmp_path / "first", dataset)
    origin = Origin.of_run(tmp_path / "first")
    ppo = replace(TEACHER.ppo, learning_rate=1e-6, value_learning_rate=1e-6, kl_target=None)
    stages = replace(
        STAGES,
        teacher=replace(TEACHER, ppo=ppo),
        rising=replace(RISER, ppo=ppo),
        student=replace(STAGES.student, learning_rate=1e-6),
    )
    samples = TEACHER_SAMPLES, RISING_SAMPLES, STUDENT_SAMPLES, 0
    second = tmp_path / "second"
    assert Recipe(second, dataset, seed=4, progress=False).distil_and_tune(*samples, stages, origin)
    student = Controller.load(second / "student" / "controller.safetensors")
    known = origin.controller
    for before, after in ((known.policy, student.policy), (known.encoder, student.encoder)):
        assert 0 < (weights(after) - weights(before)).norm() / weights(before).norm() < 1e-2
    assert student.observations.count > known.observations.count
    for name, teacher in Origin.of_run(second).teachers.items():
        before, after = (
            torch.cat([s[key].flatten() for key in s if key.endswith("weight")])
            for s in (origin.teachers[name], teacher)
        )
        assert 0 < (after - before).norm() / before.norm() < 1e-2
    third = Recipe(tmp_path / "third", dataset, seed=4, progress=False)
    with pytest.raises(ControllerError, match=r"has units \(.*\); a student of it needs \(8,\)"):
        third.distil_and_tune(*samples, replace(stages, student=replace(stages.student, units=(8,))), origin)
    with pytest.raises(ControllerError, match=r"the tracking teacher to start from has other sizes .* units \(8,\)"):
        Recipe(tmp_path / "fourth", dataset, seed=4, progress=False).distil_and_tune(
            *samples, replace(stages, teacher=replace(TEACHER, units=(8,))), origin
        )
    (tmp_path / "first" / "teachers.safetensors").unlink()
    with pytest.raises(ControllerError, match=r"teachers\.safetensors: there is no such file"):
        Origin.of_run(tmp_path / "first")


def test_what_comes_with_the_package_fits_the_default_settings() -> None:
    origin, stages = Origin.packaged(), Stages()
    teachers = {
        name: Teacher(config, make_engine(4, "cpu"), library())
        for name, config in (("teacher", stages.teacher), ("rising", stages.rising))
    }
    for name, teacher in teachers.items():
        teacher.begin_with(origin.teachers[name])
        assert float(teacher.model.observations.count) > 1e6
    student = Distillation(stages.student, *teachers.values())
    student.begin_with(origin.controller)
    torch.testing.assert_close(weights(student.student.encoder), weights(origin.controller.encoder))


def test_a_run_knows_its_motions(dataset: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert run(folder, dataset)
    cli.export(folder, tmp_path / "c.safetensors")
    assert Controller.load(tmp_path / "c.safetensors").names[::4] == ("little", "more", "much")
    assert cli._library(None, folder / "calm", "cpu").names == ("little", "more", "much")
    dataset.rename(tmp_path / "moved.yaml")
    with pytest.raises(ControllerError, match=r"set\.yaml, which is not there any more; say where with --motions"):
        cli.export(folder, tmp_path / "c.safetensors")
    cli.export(folder, tmp_path / "c.safetensors", motions=tmp_path / "moved.yaml")


def test_other_clips_are_told_of_and_refused_where_places_are_remembered(
    dataset: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "run"
    assert run(folder, dataset)
    assert not caplog.messages
    write_dataset(tmp_path, little=-0.5, most=-2.0)
    with pytest.raises(ControllerError, match=r"calm was begun with other clips \(1 new, 2 gone\).*start a new run"):
        run(folder, dataset, tuning_samples=3 * 16 * 8)
    recipe = Recipe(folder, dataset, seed=3, progress=False)
    with pytest.raises(ControllerError, match="student was begun"):
        recipe.distil_and_tune(2 * TEACHER_SAMPLES, RISING_SAMPLES, 2 * STUDENT_SAMPLES, TUNING_SAMPLES, STAGES)
    assert [message.partition("run/")[2] for message in caplog.messages] == [
        "teacher goes on with other clips than before (1 new, 2 gone)."
    ]
    assert len(RunFolder.open(folder / "teacher").metrics()) == 6
    assert Provenance.read(folder / "teacher").clips == ("little", "most")
    assert Provenance.read(folder / "calm").clips == ("little", "more", "much")


def test_a_damaged_record_is_told(tmp_path: Path) -> None:
    (tmp_path / "motions.json").write_text('{"dataset": 3')
    with pytest.raises(ControllerError, match=r"motions\.json is damaged"):
        Provenance.read(tmp_path)
    assert Provenance.read(tmp_path / "elsewhere") is None


def test_differences_in_words() -> None:
    one = Provenance(Path("a.yaml"), ("walk", "run"))
    assert one.difference(Provenance(Path("b.yaml"), ("walk", "run"))) is None
    assert one.difference(Provenance(Path("a.yaml"), ("run", "walk"))) == "in another order"
    assert one.difference(Provenance(Path("a.yaml"), ("run", "hop", "jump"))) == "2 new, 1 gone"
