"""From a sentence to a folder: what is in it, that it goes on, and what happens when something goes wrong."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch.nn.functional import normalize

import anyskill
from anyskill.controller.controller import ControllerError
from anyskill.learning.errors import CheckpointError
from anyskill.learning.run_folder import RunFolder
from anyskill.sim.engine import make_engine
from anyskill.sim.mujoco_cpu import MujocoCpu
from anyskill.skill import comparison, lesson, parts, pictures, searched
from anyskill.skill import learn as learning
from anyskill.skill import play as playing
from anyskill.skill.comparison import Judgement
from anyskill.skill.errors import SkillError
from anyskill.skill.parts import Parts
from anyskill.skill.plans import Plans
from anyskill.skill.policy import LatentSequence, PolicySkill
from anyskill.skill.skill import Skill
from anyskill.skill.summary import Summary
from anyskill.skill.task import LearnConfig, Task
from anyskill.skill.termination import EarlyTermination
from anyskill.skill.training import SkillTraining
from anyskill.text.errors import TextError
from tests.skill.made_up import CALM, SOURCE, Hands, Puppet, heights, quick

BOTH, LEFT, RIGHT = "raise both arms", "raise the left arm", "raise the right arm"


@pytest.fixture(autouse=True)
def puppets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The puppet is the controller of this package, and its hands are what the scorer sees; nothing is drawn."""
    bank = normalize(torch.cat((torch.eye(4), torch.tensor([[1.0, 1.0, 0.0, 0.0]]))), dim=-1)
    monkeypatch.setattr(learning, "load_parts", lambda task: Parts(Puppet(bank), Hands(), SOURCE))
    for module in (lesson, searched, playing):
        monkeypatch.setattr(module, "make_engine", partial(make_engine, threads=1))
    monkeypatch.setattr(comparison, "SECONDS", 1.0)
    monkeypatch.setattr("anyskill.skill.skill.load_controller", lambda device: Puppet(bank))
    monkeypatch.setattr(learning, "video", lambda *_: None)
    monkeypatch.setattr(learning, "sheet", lambda *_, **__: None)
    monkeypatch.setattr(learning, "EPISODES", 1)
    monkeypatch.setattr(learning, "SECONDS", 0.2)
    monkeypatch.chdir(tmp_path)


def learn(text: str | tuple[str, ...] = BOTH, out: str | None = "run", config: LearnConfig | None = None) -> Skill:
    return learning.learn(text, out=out, config=config or quick(), progress=False)


def arms(skill: Skill) -> tuple[float, float]:
    """By how much it wants the right and the left arm up."""
    z = skill.policy(MujocoCpu(1, threads=1).state(), 5)[0]
    return float(z[0]), float(z[1])


def when(monkeypatch: pytest.MonkeyPatch, iteration: int, do: Callable[[], None]) -> None:
    """Do something before an iteration of training, counted from now, once."""
    iterate, times = SkillTraining.iterate, []

    def disturbed(self):
        times.append(None)
        if len(times) == iteration:
            do()
        return iterate(self)

    monkeypatch.setattr(SkillTraining, "iterate", disturbed)


@cache
def uninterrupted() -> bytes:
    """The skill of a run that nothing disturbs."""
    learn(out="once")
    return Path("once/skill.safetensors").read_bytes()


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_sentence_becomes_a_folder(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(learning, "video", pictures.video)
    monkeypatch.setattr(learning, "sheet", pictures.sheet)
    folder = Path("run")
    skill = anyskill.learn(BOTH, out=folder, config=quick(), seed=3)
    written = {path.name for path in folder.iterdir()}
    assert written >= {"config.yaml", "metrics.jsonl", "tensorboard", "checkpoints", "search.safetensors"}
    assert written >= {"skill.safetensors", "summary.json", "video.mp4", "sheet.png", "report.html"}
    summary = Summary.read(folder)
    assert (summary.text, summary.scorer, summary.seed, summary.iterations) == (BOTH, "bodyclip", 3, 4)
    assert summary.similarity.final > summary.similarity.random + 0.3
    assert summary.similarity.final >= max(summary.similarity.search, summary.similarity.best_latent) - 1e-6
    assert set(summary.search) == {"bank", "refined"}
    assert summary.seconds.search > 0 and summary.seconds.training > 0 and summary.seconds.pictures > 0
    assert not summary.stopped
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 4
    assert RunFolder.open(folder).config_as(Task).seed == 3
    assert BOTH in (folder / "report.html").read_text()
    assert min(arms(skill)) > 0.3
    assert arms(Skill.load(folder)) == arms(skill)
    said = capsys.readouterr().err
    for part in (
        '"raise both arms": it already says where the limbs are',
        "Search: bank",
        "best latent",
        "report.html",
    ):
        assert part in said
    assert "similarity 0." in said and "samples/s" in said and " left" in said


def test_a_run_goes_on_where_it_stopped_and_ends_where_it_would_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = uninterrupted()
    when(monkeypatch, 3, interrupt)
    learn(out="stopped")
    summary = Summary.read(Path("stopped"))
    assert summary.stopped and summary.iterations == 3
    assert summary.similarity.final > 0.3
    assert (Path("stopped") / "report.html").exists()
    assert summary.command == "anyskill learn --resume stopped"
    monkeypatch.setattr(searched, "LatentSearch", None)  # it was done, and is not done again
    learn(out="stopped")
    assert not Summary.read(Path("stopped")).stopped
    assert Path("stopped/skill.safetensors").read_bytes() == whole


def test_a_killed_run_loses_at_most_what_came_after_its_last_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    def die() -> None:
        raise SystemExit(137)

    monkeypatch.setattr(lesson, "SAVE_EVERY", 2)
    whole = uninterrupted()
    when(monkeypatch, 4, die)
    with pytest.raises(SystemExit):
        learn(out="killed")
    assert isinstance(Skill.load("killed").decide, LatentSequence)  # what the search found can be used already
    assert Summary.read(Path("killed")).similarity.final is None
    assert RunFolder.open(Path("killed")).checkpoints.iterations() == [2]
    learn(out="killed")
    assert Path("killed/skill.safetensors").read_bytes() == whole


def test_stopped_before_training_it_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(searched, "LatentSearch", stop)
        with pytest.raises(KeyboardInterrupt):
            learning.learn(BOTH, out="run", config=quick())
    assert "the same command goes on" in capsys.readouterr().err
    assert min(arms(learn())) > 0.3


def test_a_finished_run_is_not_learnt_again_but_can_be_trained_longer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = learn()
    with monkeypatch.context() as patch:
        patch.setattr(learning, "load_parts", None)
        again = learning.learn(BOTH, out="run", config=quick())
    assert arms(again) == arms(first)
    assert "`anyskill learn --resume run --iterations 8` trains it longer" in capsys.readouterr().err
    learning.resume("run", iterations=5, progress=False)
    assert Summary.read(Path("run")).iterations == 5
    assert len(Path("run/metrics.jsonl").read_text().splitlines()) == 5
    with pytest.raises(CheckpointError, match="holds no run"):
        learning.resume("nowhere")


def test_a_folder_holds_one_run(tmp_path: Path) -> None:
    learn(config=quick(train=False))
    with pytest.raises(SkillError, match=r"run holds another run: .*raise both arms.*Choose another folder"):
        learn(LEFT)
    (tmp_path / "file").write_text("")
    with pytest.raises(SkillError, match="file is a file"):
        learn(out="file")
    RunFolder.create(tmp_path / "other", {"worlds": 8})
    for go_on in (lambda: learn(out="other"), lambda: learning.resume("other")):
        with pytest.raises(SkillError, match="other holds a run, but none of learning a skill"):
            go_on()


def test_a_run_does_not_go_on_with_another_controller(monkeypatch: pytest.MonkeyPatch) -> None:
    learn(config=quick(iterations=1))
    other = Puppet()
    with torch.no_grad():
        other.policy.head.weight.add_(1.0)
    monkeypatch.setattr(learning, "load_parts", lambda task: Parts(other, Hands(), SOURCE))
    with pytest.raises(SkillError, match="learnt on another controller"):
        learn()


def test_without_an_out_the_folder_is_called_like_the_sentence() -> None:
    learn("Raise both arms!", None, quick(train=False))
    assert Path("runs/raise-both-arms/skill.safetensors").exists()


def test_search_alone_and_training_alone() -> None:
    found = learn(out="found", config=quick(train=False))
    assert isinstance(found.decide, LatentSequence)
    assert found.details["kind"] in ("search", "best_latent")
    assert Summary.read(Path("found")).iterations == 0
    trained = learn(out="trained", config=quick(search=False))
    assert isinstance(trained.decide, PolicySkill)
    summary = Summary.read(Path("trained"))
    assert summary.similarity.search is None and summary.similarity.final is not None
    assert not summary.search


def test_a_policy_that_falls_short_of_the_search_is_given_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    idle = torch.eye(4)[3:]
    monkeypatch.setattr(lesson.Plans, "of", lambda skills: Plans.constant(idle.expand(len(skills), -1)))  # far to go
    config = quick(iterations=6, trial=2)
    learn(out="a", config=config)
    summary = Summary.read(Path("a"))
    assert summary.iterations == 2
    assert summary.behind and not summary.converged and not summary.stopped
    assert summary.similarity.final == max(summary.similarity.search, summary.similarity.best_latent)
    assert "Training was given up after 2 iterations." in Path("a/report.html").read_text()
    learning.learn(BOTH, out="a", config=config)
    assert "holds this skill already" in capsys.readouterr().err
    learning.resume("a", iterations=4, progress=False)
    assert Summary.read(Path("a")).iterations == 4
    for name, others in {"late": {"trial": 7}, "alone": {"search": False}}.items():
        learn(out=name, config=replace(config, **others))
        assert Summary.read(Path(name)).iterations == 6
    both = learn((LEFT, RIGHT), out="both", config=config)
    assert Summary.read(Path("both")).behind
    assert isinstance(both.decide, LatentSequence)  # what was looked up


def test_a_policy_that_is_as_good_as_the_search_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson, "judge", lambda *_: Judgement(similarity=0.5, lying=0.0, style=1.0))
    skill = learn(config=quick(iterations=4, trial=1))
    assert isinstance(skill.decide, PolicySkill)
    assert Summary.read(Path("run")).iterations == 4
    assert not Summary.read(Path("run")).behind


@pytest.mark.parametrize(("similarity", "kept"), [(0.55, PolicySkill), (0.45, LatentSequence)])
def test_who_leaves_the_clips_is_kept_only_for_a_clear_gain(
    similarity: float, kept: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(contestant: Skill, *_: object) -> Judgement:
        far = isinstance(getattr(contestant, "decide", None), PolicySkill)
        return Judgement(similarity if far else 0.4, 0.0, 0.1 if far else 1.0)

    monkeypatch.setattr(lesson, "judge", judge)
    assert isinstance(learn(config=quick(iterations=1)).decide, kept)


def test_time_can_be_the_limit() -> None:
    learn(config=quick(minutes=1e-9))
    summary = Summary.read(Path("run"))
    assert summary.iterations == 0
    assert not summary.stopped
    assert summary.similarity.final > 0.3


def test_one_policy_learns_several_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    monkeypatch.setattr(learning, "EPISODES", 2)
    monkeypatch.setattr(learning, "SECONDS", 1.0)
    monkeypatch.setattr(learning, "video", lambda played, path, caption: drawn.append((played, caption)))
    skill = learn((RIGHT, LEFT))
    played, caption = drawn[0]
    assert caption == f"{RIGHT}; {LEFT}"
    right, left = heights(played.states[-1]).unbind(-1)
    assert right[0] > left[0] + 0.3
    assert left[1] > right[1] + 0.3
    right, left = arms(skill)
    assert right > left + 0.5
    right, left = arms(skill.under(LEFT))
    assert left > right + 0.5
    assert arms(Skill.load("run").under(LEFT)) == (right, left)
    summary = Summary.read(Path("run"))
    assert summary.text == f"{RIGHT}; {LEFT}"
    assert summary.similarity.final > summary.similarity.random + 0.3


def test_several_sentences_are_looked_up_and_so_are_others() -> None:
    skill = learn((RIGHT, LEFT), config=quick(train=False))
    assert isinstance(skill.decide, LatentSequence)
    read = Skill.load("run")
    for one in (skill, read):
        right, left = arms(one.under(LEFT))
        assert left > right + 0.5
        right, left = arms(one.under(BOTH, Hands()))
        assert min(right, left) > 0.2


def test_a_policy_of_several_sentences_acts_about_what_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson.Lesson, "_best", lambda *_: "policy")
    skill = learn((RIGHT, LEFT), config=quick(iterations=1))
    assert isinstance(skill.decide, PolicySkill)
    for one in (skill, Skill.load("run")):
        right, left = arms(one.under(BOTH, Hands()))
        assert min(right, left) > 0.2


@pytest.mark.parametrize("text", ["", "  \n", "?!", "arm " * 2500])
def test_no_sentence_at_all_is_refused_before_anything_is_written(text: str, tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"raise both arms|at most 1000"):
        learn(text, None)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["quarterly tax law", "подними обе руки", "両腕を上げる", "🙌 yes"])
def test_what_nobody_knows_is_tried_all_the_same(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    learning.learn(text, config=quick(train=False))
    assert next(Path("runs").iterdir()).name
    said = capsys.readouterr().err
    assert "the phrasebook does not know it" in said
    assert "bodyclip does not tell how well it knows these words" in said


def test_missing_files_are_named_and_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(learning, "load_parts", parts.load_parts)
    with pytest.raises(ControllerError, match=r"mine\.safetensors: there is no such file"):
        learning.learn(BOTH, out="run", controller=Path("mine.safetensors"), progress=False)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = uninterrupted()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "run/checkpoints/00000004.safetensors")

    with monkeypatch.context() as patch:
        patch.setattr("anyskill.learning.checkpoint.write_state", full)
        with pytest.raises(SkillError, match=r"00000004.* cannot be written \(No space left.*goes on"):
            learn()
    assert min(arms(Skill.load("run"))) > 0.3
    learn()
    assert Path("run/skill.safetensors").read_bytes() == whole


def test_alarms_of_audits_are_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Audit:
        parts: ClassVar = {}

        def __call__(self, iteration, states, draws):
            return {"audit/cosine": 0.2, "audit/spearman": 0.1, "audit/optimism": 2.0, "audit/alarm": 1.0}

    monkeypatch.setattr(Parts, "audit", lambda *_: Audit())
    learning.learn(BOTH, out="run", config=quick(iterations=2))
    alarm = Summary.read(Path("run")).alarm
    assert "after 2 iterations true pictures did not agree" in alarm
    assert alarm in capsys.readouterr().err


def test_who_is_told_to_lie_down_is_not_put_back_on_his_feet(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = []
    start = SkillTraining.__init__

    def noted(self, config, *others):
        settings.append(config.environment.termination.head_height)
        start(self, config, *others)

    monkeypatch.setattr(SkillTraining, "__init__", noted)
    skill = quick().skill
    termination = EarlyTermination(head_height=0.2)
    config = quick(iterations=1, skill=replace(skill, environment=replace(CALM, termination=termination)))
    learn("lie down", "low", config)
    learn(BOTH, "high", config)
    assert settings == [0.0, 0.2]


def test_the_package_itself_offers_it() -> None:
    assert anyskill.learn is learning.learn
    assert anyskill.Skill is Skill
    with pytest.raises(AttributeError, match="no attribute 'fly'"):
        anyskill.fly  # noqa: B018 - that is the point
    light = "import anyskill, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", light], check=False).returncode == 0
