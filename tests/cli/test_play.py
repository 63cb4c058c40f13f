"""``anyskill play``: a film and a sheet of a saved skill, and what it says to wrong input."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from anyskill.cli.main import main
from anyskill.controller.controller import Controller
from anyskill.skill.plans import Plans
from anyskill.skill.policy import LatentSequence
from anyskill.skill.repertoire import Repertoire
from anyskill.skill.skill import Sentence, Skill
from anyskill.skill.trials import Trials
from tests.controller.test_wandering import controller
from tests.render.test_video import read_video
from tests.skill.made_up import Hands


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with a skill that stands nearly still, and its controller."""
    folder = tmp_path / "run"
    calm = controller()
    calm.save(folder / "controller.safetensors")
    Skill("stand still", "a humanoid stands", calm, LatentSequence(calm.latents[:1], torch.zeros(1).long())).save(
        folder / "skill.safetensors"
    )
    return folder


def arguments(skill: Path, *more: str) -> list[str]:
    file = skill / "controller.safetensors" if skill.is_dir() else skill.parent / "controller.safetensors"
    return ["play", str(skill), "--controller", str(file), "--seconds", "0.2", "--moving", "0", *more]


def test_a_run_is_played(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out" / "new.mp4"
    main(arguments(run, "--out", str(out), "--worlds", "2"))
    printed = capsys.readouterr().out.splitlines()
    assert printed == ["0 of 2 fell.", str(out), str(out.with_suffix(".png"))]
    meta, frames = read_video(out)
    assert len(frames) == 6
    width, height = meta["size"]
    assert (width, meta["fps"]) == (640, 30)
    assert height > 320  # the sentence is above the pictures
    assert Image.open(out.with_suffix(".png")).width == 6 * 192


def test_a_skill_of_several_sentences_does_what_it_is_told(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own sentence, and another one that is looked up."""
    calm = Controller.load(run / "controller.safetensors")
    guides = [LatentSequence.hold(latent) for latent in calm.latents[:2]]
    features = Hands().encode_texts(["raise both arms", "raise the right arm"])
    plans = Plans.constant(calm.latents)
    tried = Repertoire(plans, Trials(torch.eye(3), torch.zeros(3)), torch.zeros(3), 3, 0.5)
    sentences = tuple(map(Sentence, ("up", "right"), ("up", "right"), features, guides))
    Skill("up", "up", calm, guides[0], {"scorer": "hands"}, sentences, tried).save(run / "skill.safetensors")
    monkeypatch.setattr("anyskill.vision_language.model.load_model", lambda name, device: Hands())
    told = []
    monkeypatch.setattr("anyskill.skill.pictures.video", lambda played, path, text, **_: told.append(text))
    monkeypatch.setattr("anyskill.skill.pictures.sheet", lambda *_, **__: None)
    for text in ("right", "raise the left arm"):
        main(arguments(run, "--out", str(tmp_path / "a.mp4"), "--worlds", "1", "--text", text))
    assert told == ["right", "raise the left arm"]


def test_the_file_is_as_good_as_its_folder_and_boxes_change_what_is_seen(run: Path, tmp_path: Path) -> None:
    films = [tmp_path / f"{name}.mp4" for name in ("folder", "file", "boxes")]
    for film, skill, more in zip(films, (run, run / "skill.safetensors", run), ((), (), ("--perturb",)), strict=True):
        main([*arguments(skill, "--out", str(film), "--worlds", "1"), *more])
    folder, file, boxes = (read_video(film)[1] for film in films)
    assert (folder == file).all()
    assert folder.shape == boxes.shape
    assert (folder != boxes).any()  # seen from farther away


def test_wrong_input_is_one_sentence(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for skill, more, words in (
        (tmp_path / "nothing", (), "nothing"),
        (run / "controller.safetensors", (), "is no skill"),
        (run, ("--out", "film.png"), "film.mp4"),
        (run, ("--seconds", "0"), "play longer"),
        (run, ("--moving", "2"), "moving"),
        (run, ("--worlds", "0"), "at least one world"),
        (run, ("--text", "jump"), "one sentence only"),
    ):
        with pytest.raises(SystemExit) as exit_:
            main([*arguments(run), *more] if skill == run else ["play", str(skill), *more])
        assert exit_.value.code == 2
        said = capsys.readouterr().err
        assert words in said
        assert len(said.strip().splitlines()) == 1
