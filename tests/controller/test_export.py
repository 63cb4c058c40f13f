"""A controller made from a trainer does what the trainer's networks do."""

from dataclasses import replace

import torch

from anyskill.body.observation import policy_observation
from anyskill.controller.bank import bank_places, path_places
from anyskill.controller.export import controller_of
from anyskill.controller.pretraining import Pretraining
from anyskill.motion.library import MotionLibrary
from anyskill.sim.mujoco_cpu import MujocoCpu
from tests.controller.made_up import arm_clip, library, tiny
from tests.controller.test_distillation import make_student


def test_a_student_becomes_a_controller() -> None:
    student = make_student()
    student.iterate()
    controller = controller_of(student)
    state = student.task.engine.state()
    z = controller.latents[:1].expand(16, -1)
    with torch.no_grad():
        wanted = student._targets(policy_observation(state), z)
    inside = (wanted - controller.skeleton.action_offset).abs() <= controller.skeleton.action_scale
    assert torch.allclose(controller.act(state, z)[inside], wanted[inside], atol=1e-5)
    assert controller.latents.shape == (12, 8)
    assert controller.names[::4] == controller.path_names[::22] == library().names


def test_calm_becomes_a_controller() -> None:
    config = tiny("calm")
    trainer = Pretraining(config, MujocoCpu(config.worlds), library())
    trainer.iterate()
    controller = controller_of(trainer)
    with torch.no_grad():
        for latents, places in ((controller.latents, bank_places), (controller.paths, path_places)):
            assert torch.allclose(latents, trainer.method.encode(*places(library(), 60)), atol=1e-6)
        mean = trainer.model.mean(trainer.world.observe(), controller.latents[:1].expand(16, -1)).clamp(-1, 1)
    targets = controller.act(trainer.world.engine.state(), controller.latents[:1].expand(16, -1))
    skeleton = controller.skeleton
    assert torch.allclose(targets, (skeleton.action_offset + skeleton.action_scale * mean).float(), atol=1e-5)


def test_paths_lead_through_each_clip() -> None:
    clips = [arm_clip("long", 7, -1.5), arm_clip("short", 7, -1.5, 1.0), replace(arm_clip("loop", 7, -1.5), loop=True)]
    motions = MotionLibrary(clips)
    clip, end = path_places(motions, 60)
    assert end[clip == 0].tolist() == list(range(59, 106 + 60, 5))  # half a second of its 121 frames is left
    assert end[clip == 1].tolist() == [30, 64, 69, 74]  # the whole of it, and what begins at its frames 5, 10, 15
    assert end[clip == 2].tolist() == list(range(59, 59 + int(motions.lengths[2]), 5))


def test_the_bank_spans_each_clip() -> None:
    clip, end = bank_places(library(), 60, per_clip=3)
    assert clip.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert end[:3].tolist() == [59, 90, 120]
