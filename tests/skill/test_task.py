"""What a run is asked for, and its settings by name."""

from dataclasses import replace
from pathlib import Path

import pytest

from anyskill.learning.config import from_plain, to_plain
from anyskill.learning.errors import LearningError
from anyskill.skill.errors import SkillError
from anyskill.skill.task import PRESETS, LearnConfig, Task, preset
from anyskill.skill.training import as_released, paper


def task(text="wave", config: LearnConfig | None = None, **more) -> Task:
    given = {"vlm": "bodyclip", "controller": None, "projection": None, "device": "cpu", "seed": 0} | more
    return Task.of(text, config=config or LearnConfig(), **given)


@pytest.mark.parametrize("features", ["projection", "pictures"])
@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_their_file(name, features) -> None:
    config = preset(name, features)
    asked = task(("wave", "sit"), config, controller=Path("c.safetensors"), seed=5)
    assert from_plain(Task, to_plain(asked)) == asked
    assert asked.config.skill.seed == 5
    assert config.features == features
    samples = config.skill.worlds * config.skill.horizon
    assert config.skill.ppo.minibatch_size <= samples


def test_the_paper_is_followed_to_the_letter() -> None:
    config = preset("paper")
    assert config.skill == paper()
    assert (config.iterations, config.search, config.converge) == (500, False, False)
    assert preset("paper", "pictures").skill == paper()
    released = preset("as-released").skill
    assert released == as_released()
    assert released.environment.termination.decreases is None
    assert released.environment.reward.closeness == "cosine"
    assert (released.worlds, released.ppo) == (paper().worlds, paper().ppo)
    with pytest.raises(SkillError, match="no preset slow; take fast, paper, as-released"):
        preset("slow")  # type: ignore[arg-type]


def test_pictures_are_looked_at_less() -> None:
    fast, pictured = LearnConfig(), preset("fast", "pictures")
    assert 8 * pictured.skill.worlds <= fast.skill.worlds
    assert pictured.skill.environment.scored == fast.skill.environment.scored == "decision"
    assert preset("paper", "pictures").skill.environment.scored == "step"


def test_rewards_and_termination_by_name() -> None:
    config = LearnConfig().rewarded("vlm-rm+velocity").without_early_termination()
    environment = config.skill.environment
    assert (environment.reward.form, environment.reward.velocity_weight) == ("vlm-rm", 0.1)
    assert (environment.termination.decreases, environment.termination.head_height) == (None, 0.0)
    assert replace(config, skill=LearnConfig().skill) == LearnConfig()
    with pytest.raises(SkillError, match="no reward fun"):
        LearnConfig().rewarded("fun")


def test_a_search_and_ppo_are_paid_alike_and_ppo_alone_is_not_tied_to_clips() -> None:
    config, bare = LearnConfig(), LearnConfig().without_search()
    reward = config.skill.environment.reward
    assert reward.style_weight == config.search_settings.style_weight == 0.3
    assert not bare.search
    assert bare.skill.environment.reward == replace(reward, style_weight=0.1)
    assert preset("paper").without_search() == preset("paper")


def test_only_the_budget_may_change() -> None:
    longer = replace(LearnConfig(), iterations=500, minutes=3.0, converge=False)
    assert task(config=longer).lasting == task().lasting
    assert task("sit").lasting != task().lasting
    assert task(seed=1).lasting != task().lasting
    assert Path(task(controller=Path("c.safetensors")).controller).is_absolute()


def test_nonsense_is_refused() -> None:
    with pytest.raises(LearningError, match=r"LearnConfig\.train"):
        LearnConfig(search=False, train=False)
    with pytest.raises(LearningError, match="iterations is 0; it must be at least 1"):
        LearnConfig(iterations=0)
    with pytest.raises(LearningError, match="minutes"):
        LearnConfig(minutes=0.0)
    with pytest.raises(SkillError, match="there is no sentence"):
        task(())
