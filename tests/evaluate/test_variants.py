"""What each variant changes, and how runs that were begun before are treated."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from anyskill.evaluate import variants
from anyskill.evaluate.ablations import Case
from anyskill.evaluate.variants import RANDOM, VARIANTS, Means, learnt, recipes
from anyskill.learning.config import to_plain
from anyskill.skill.comparison import RandomLatents
from anyskill.skill.policy import LatentSequence
from anyskill.skill.skill import Skill
from anyskill.skill.summary import Seconds, Similarity
from anyskill.skill.task import LearnConfig, Task
from tests.evaluate.made_up_runs import SENTENCES
from tests.skill.made_up import Puppet
from tests.skill.made_up_run import summary

MEANS = Means.of("bodyclip", device="cpu", minutes=3.0)
CASE = Case("full", SENTENCES[0], 2)


def changed(name: str, base: LearnConfig) -> set[str]:
    """Settings that a variant has otherwise than another configuration, as dotted names."""

    def flat(plain: Any, prefix: str = "") -> dict[str, Any]:
        if not isinstance(plain, dict):
            return {prefix: plain}
        return {key: value for name, part in plain.items() for key, value in flat(part, f"{prefix}.{name}").items()}

    ours, theirs = flat(to_plain(VARIANTS[name](MEANS.config))), flat(to_plain(base))
    return {key.removeprefix(".") for key in ours if ours[key] != theirs[key]}


def test_variants_of_the_papers_tables_differ_from_full_by_one_thing() -> None:
    full = VARIANTS["full"](MEANS.config)
    style, kl = "skill.environment.reward.style_weight", "skill.ppo.kl_target"
    assert changed("full", MEANS.config) == {"search", style, kl}
    reward, termination = "skill.environment.reward", "skill.environment.termination"
    assert changed("no-early-termination", full) == {f"{termination}.decreases", f"{termination}.head_height"}
    assert changed("no-enhancement", full) == {"enhance"}
    for name in ("vlm-rm", "clip-s", "avgpool"):
        assert changed(name, full) == {f"{reward}.form"}
        assert VARIANTS[name](MEANS.config).skill.environment.reward.form == name
    assert changed("+velocity", full) == {f"{reward}.velocity_weight"}
    video = VARIANTS["video"](MEANS.config)
    assert (video.search, video.features, video.skill.environment.reward.form) == (False, "pictures", "video")


def test_variants_of_ours() -> None:
    assert changed("search+ppo", MEANS.config) == set()
    assert changed("search-only", MEANS.config) == {"train"}
    best = {"train", *(f"search_settings.{name}" for name in ("rounds", "sequences", "clips"))}
    assert changed("best-latent", MEANS.config) == best
    assert VARIANTS["best-latent"](MEANS.config).search_settings.rounds == 0
    assert VARIANTS["pictures"](MEANS.config).features == "pictures"
    paper, released = (VARIANTS[name](MEANS.config) for name in ("paper", "as-released"))
    assert (paper.search, paper.skill.worlds, paper.iterations) == (False, 1024, 500)
    assert released.skill.environment.termination.decreases is None
    for change in VARIANTS.values():
        assert change(MEANS.config).minutes == 3.0


def test_a_variant_cannot_be_without_a_run_of_its_own() -> None:
    """Two names for one thing would be learnt twice."""
    configs = [change(MEANS.config) for change in VARIANTS.values()]
    assert all(a != b for number, a in enumerate(configs) for b in configs[:number])


class Learn:
    """In place of ``learn``: leaves a summary, and has been asked for what ``Task`` holds."""

    def __init__(self, *, stopped: bool = False) -> None:
        self.stopped, self.tasks = stopped, list[Task]()

    def __call__(self, text: Any, *, out: Path, config: LearnConfig, progress: bool, **rest: Any) -> Skill:
        assert not progress
        self.tasks.append(Task.of(text, config=config, **rest))
        skill = Skill(str(text), str(text), Puppet(), LatentSequence.hold(torch.eye(4)[0]))
        skill.save(out / "skill.safetensors")
        final = Similarity() if self.stopped else Similarity(0.1, 0.2, 0.3, 0.4)
        summary(similarity=final, stopped=self.stopped, seconds=Seconds(2.0, 10.0, 48.0, 9.0)).write(out)
        return skill


@pytest.fixture(autouse=True)
def puppet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anyskill.skill.skill.load_controller", lambda device: Puppet())
    monkeypatch.setattr(variants, "load_controller", lambda device: Puppet())


def test_every_recipe_learns_its_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learn = Learn()
    monkeypatch.setattr(variants, "learn", learn)
    made = recipes(replace(MEANS, projection=Path("p.safetensors")))
    for name in VARIANTS:
        result = made[name](replace(CASE, variant=name), tmp_path / name)
        assert result.seconds == 60.0  # set-up, search and training, without pictures
    assert {task.seed for task in learn.tasks} == {2}
    assert {task.texts for task in learn.tasks} == {("raise both arms",)}
    for name, task in zip(VARIANTS, learn.tasks, strict=True):
        assert task.config == replace(VARIANTS[name](MEANS.config), skill=task.config.skill), name
        assert task.vlm == ("microsoft/xclip-base-patch32" if name == "video" else "bodyclip")
        assert (task.projection is None) == (name == "video")


def test_random_latents_need_no_learning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    puppet = Puppet(torch.eye(4)[:2])
    monkeypatch.setattr(variants, "learn", None)
    made = recipes(MEANS)[RANDOM](CASE, tmp_path / "none")
    assert isinstance(made.skill, RandomLatents)
    assert made.seconds == 0.0
    assert not (tmp_path / "none").exists()

    puppet.save(tmp_path / "c.safetensors")
    own = recipes(replace(MEANS, controller=tmp_path / "c.safetensors"))[RANDOM](CASE, tmp_path / "none")
    assert own.skill.controller.names == puppet.names


def test_what_was_learnt_before_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learn = Learn()
    monkeypatch.setattr(variants, "learn", learn)
    first = learnt("bow", 0, tmp_path, MEANS)
    again = learnt("bow", 0, tmp_path, MEANS)
    assert len(learn.tasks) == 1
    assert (again.seconds, again.skill.text) == (first.seconds, "bow")


def test_a_run_that_was_stopped_is_no_result_and_goes_on_with_what_is_left_of_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variants, "learn", Learn(stopped=True))
    with pytest.raises(KeyboardInterrupt):
        learnt("bow", 0, tmp_path, MEANS)
    learn = Learn()
    monkeypatch.setattr(variants, "learn", learn)
    assert learnt("bow", 0, tmp_path, MEANS).seconds == 60.0
    assert learn.tasks[0].config.minutes == pytest.approx(2.0)
    assert learn.tasks[0].config == replace(MEANS.config, minutes=learn.tasks[0].config.minutes)
