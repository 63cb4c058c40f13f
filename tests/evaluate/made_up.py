"""A puppet whose latents raise its arms as skills, and runs that nobody has learnt."""

from dataclasses import replace
from pathlib import Path

import torch
from torch.nn.functional import normalize

from anyskill.evaluate.suite import Sentence
from anyskill.learning.run_folder import RunFolder
from anyskill.learning.state import write_state
from anyskill.skill import searched
from anyskill.skill.policy import LatentSequence
from anyskill.skill.searched import Searched
from anyskill.skill.skill import FILE, Skill
from anyskill.skill.summary import Seconds, Summary
from anyskill.skill.task import LearnConfig, Task
from tests.skill.made_up import Puppet
from tests.skill.made_up_run import summary

BANK = normalize(torch.cat((torch.eye(4), torch.tensor([[1.0, 1.0, 0.0, 0.0]]))), dim=-1)
RIGHT, LEFT, NOTHING, _, BOTH = range(5)
ARMS_UP = {"all": [{"hand_above": "both"}, {"not": {"lying": {"face": "any"}}}]}
SENTENCES = [
    Sentence("raise both arms", "arms", 0.5, ARMS_UP),
    Sentence("raise the right arm", "arms", 0.5, {"hand_above": "one"}),
    Sentence("fly", "odd", 0.0, {"hips": {"above": 3}}),
]


def skill(latent: int = BOTH, text: str = "raise both arms") -> Skill:
    """Holds a latent of the bank."""
    held = LatentSequence(BANK[latent : latent + 1], torch.zeros(1, dtype=torch.long))
    return Skill(text, text, Puppet(BANK), held)


def leave_run(folder: Path, text: str, *, latent: int = BOTH, stopped: bool = False, search: bool = True) -> Skill:
    """What a run of ``learn`` leaves: settings, summary, skill, and the search that found its latent."""
    learnt = skill(latent, text)
    seconds = Seconds(setup=1.0, search=2.0, training=30.0, pictures=9.0)
    if not (folder / "config.yaml").exists():
        RunFolder.create(folder, Task.of(text, "bodyclip", None, None, "cpu", 0, LearnConfig()))
    replace(summary(text=text), stopped=stopped, seconds=seconds).write(folder)
    learnt.save(folder / FILE)
    if search:
        found = Searched(learnt.decide, BANK[latent], {"bank": 0.5}, 2.0)
        write_state(folder / searched.FILE, found.state())
    assert Summary.read(folder).text == text
    return learnt
