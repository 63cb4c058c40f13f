"""A skill as a file: what comes back, and what is said when it cannot."""

import struct
from pathlib import Path

import pytest
import torch

from anyskill.body.observation import policy_size
from anyskill.controller.controller import Controller, ControllerError
from anyskill.learning.state import write_state
from anyskill.sim.mujoco_cpu import MujocoCpu
from anyskill.skill import skill as skills
from anyskill.skill.errors import SkillError
from anyskill.skill.policy import LatentSequence, PolicySkill, make_actor_critic
from anyskill.skill.skill import Sentence, Skill, fingerprint
from tests.controller.test_wandering import controller as real_controller
from tests.skill.made_up import LATENT, SENTENCES, SKELETON, Hands, Puppet

ONE, OTHER = list(SENTENCES)[:2]


def policy(text: torch.Tensor | None = None) -> PolicySkill:
    size = 0 if text is None else len(text)
    generator = torch.Generator().manual_seed(0)
    return PolicySkill(make_actor_critic(policy_size(SKELETON), size, LATENT, (16, 8), -2.3, generator), text)


def several() -> Skill:
    features = Hands().encode_texts([ONE, OTHER])
    sentences = tuple(Sentence(text, f"{text} high", f) for text, f in zip((ONE, OTHER), features, strict=True))
    return Skill(ONE, f"{ONE} high", Puppet(), policy(features[0]), {"similarity": 0.4}, sentences)


def sequence() -> Skill:
    decide = LatentSequence(torch.eye(LATENT)[:2], torch.tensor([0, 3]))
    return Skill("raise one arm, then the other", "as typed", Puppet(), decide)


@pytest.mark.parametrize("make", [lambda: Skill("wave", "wave", Puppet(), policy()), several, sequence])
def test_it_comes_back_as_it_was(make, tmp_path: Path) -> None:
    skill, state = make(), MujocoCpu(3, threads=1).state()
    skill.save(tmp_path / "skill.safetensors")
    for path in (tmp_path, tmp_path / "skill.safetensors"):
        back = Skill.load(path, Puppet())
        assert (back.text, back.description, back.details) == (skill.text, skill.description, skill.details)
        for decision in (0, 5):
            assert torch.equal(back.policy(state, decision), skill.policy(state, decision))
        assert [one.text for one in back.sentences] == [one.text for one in skill.sentences]


def test_a_sequence_follows_its_time() -> None:
    state = MujocoCpu(2, threads=1).state()
    assert [int(sequence().policy(state, decision)[0].argmax()) for decision in (0, 2, 3, 9)] == [0, 0, 1, 1]


def test_a_policy_of_several_sentences_follows_the_one_it_is_told(tmp_path: Path) -> None:
    several().save(tmp_path / "skill.safetensors")
    skill, state = Skill.load(tmp_path, Puppet()), MujocoCpu(1, threads=1).state()
    other = skill.under(OTHER)
    assert (other.text, other.description) == (OTHER, f"{OTHER} high")
    assert not torch.allclose(skill.policy(state), other.policy(state), atol=1e-3)
    assert torch.equal(other.under(ONE).policy(state), skill.policy(state))
    with pytest.raises(SkillError, match=f'"fly" is none of the sentences of this skill: {ONE}; {OTHER}'):
        skill.under("fly")
    fresh = skill.under("raise both arms", Hands())
    assert fresh.text == "raise both arms"
    assert not torch.allclose(fresh.policy(state), other.policy(state), atol=1e-3)
    with pytest.raises(SkillError, match='one sentence only, "wave"'):
        Skill("wave", "wave", Puppet(), policy()).under(ONE)


def test_a_wrong_controller_is_one_clear_sentence(tmp_path: Path) -> None:
    controller = real_controller()
    decide = LatentSequence.hold(controller.latents[0])
    Skill("wave", "wave", controller, decide).save(tmp_path / "skill.safetensors")
    with pytest.raises(SkillError, match="learnt on another controller than this one; give the file of that one"):
        Skill.load(tmp_path, Puppet())
    with torch.no_grad():
        controller.policy.head.weight.add_(0.01)
    with pytest.raises(SkillError, match="another controller"):
        Skill.load(tmp_path, controller)


def test_the_controller_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half precision of its file changes nothing: the file that the skill remembers fits, wherever it was trained."""
    controller, file = real_controller(), tmp_path / "controller.safetensors"
    controller.save(file)
    assert fingerprint(controller) == fingerprint(Controller.load(file))
    decide = LatentSequence.hold(controller.latents[0])
    Skill("wave", "wave", controller, decide, {"controller": str(file)}).save(tmp_path / "skill.safetensors")
    assert fingerprint(Skill.load(tmp_path).controller) == fingerprint(controller)

    def none_inside(device):
        raise ControllerError("this build of anyskill has no controller inside.")

    monkeypatch.setattr(skills, "load_controller", none_inside)
    file.unlink()
    with pytest.raises(ControllerError, match="no controller inside"):
        Skill.load(tmp_path)
    monkeypatch.setattr(skills, "load_controller", lambda device: controller)
    assert Skill.load(tmp_path).controller is controller


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    start = 8 + struct.unpack("<Q", content[:8])[0]
    content[start + 5] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda path: path.unlink(), "there is no such file"),
        (damage, "is damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:200]), "is damaged or no state file"),
        (lambda path: write_state(path, {"parts": {}}), "is no skill .*`anyskill learn` makes one"),
        (lambda path: write_state(path, {"header": {"format": 9}}), "has format 9; this version reads 1"),
        (lambda path: Puppet().save(path), "is no skill"),
    ],
)
def test_what_is_no_skill_is_told(spoil, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "skill.safetensors"
    sequence().save(path)
    spoil(path)
    with pytest.raises(SkillError, match=complaint):
        Skill.load(path, Puppet())


def test_it_makes_a_film(tmp_path: Path) -> None:
    decide = LatentSequence.hold(torch.eye(LATENT)[0])
    Skill("raise an arm", "raise an arm", Puppet(), decide).video(tmp_path / "arm.mp4", seconds=0.1)
    assert (tmp_path / "arm.mp4").read_bytes()[4:8] == b"ftyp"
