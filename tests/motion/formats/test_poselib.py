import os
import pickle

import numpy as np
import pytest
import torch

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID, SWORD_AND_SHIELD
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.clip import Clip
from anyskill.motion.errors import MotionFormatError
from anyskill.motion.formats.poselib import read_poselib, write_poselib
from anyskill.motion.source import SourceMotion
from tests.motion.formats import samples


def write(path, **changes):
    """A file as poselib writes it, through numpy's own pickling, with some entries changed."""
    write_poselib(samples.clip(), path)
    content = np.load(path, allow_pickle=True).item()
    content.update(changes)
    np.save(path, content, allow_pickle=True)
    return path


@pytest.mark.parametrize("character", [HUMANOID, SWORD_AND_SHIELD])
def test_written_clip_reads_back(tmp_path, character) -> None:
    clip = samples.clip(character=character)
    write_poselib(clip, tmp_path / "sample.npy")
    found = read_poselib(tmp_path / "sample.npy")
    assert isinstance(found, Clip)
    assert (found.name, found.fps, found.character) == ("sample", 30.0, character)
    forward = skeleton_of(character).forward
    assert (
        forward(found.root_positions, found.rotations)[0] - forward(clip.root_positions, clip.rotations)[0]
    ).abs().max() < 1e-6


def test_written_container_is_poselib_s(tmp_path) -> None:
    write_poselib(samples.clip(), tmp_path / "sample.npy")
    data = (tmp_path / "sample.npy").read_bytes()
    assert b"numpy._core" not in data  # numpy 1 does not know it
    content = np.load(tmp_path / "sample.npy", allow_pickle=True).item()
    assert content["__name__"] == "SkeletonMotion" and content["is_local"] is True and content["fps"] == 30.0
    assert content["rotation"]["arr"].shape == (5, 15, 4) and content["rotation"]["arr"].dtype == np.float32
    assert content["global_velocity"]["arr"].shape == content["global_angular_velocity"]["arr"].shape == (5, 15, 3)
    assert content["skeleton_tree"]["node_names"][:2] == ["pelvis", "torso"]
    clip = samples.clip()
    np.testing.assert_allclose(content["rotation"]["arr"][..., 3], clip.rotations[..., 0], atol=1e-6)


def test_global_rotations(tmp_path) -> None:
    clip = samples.clip()
    _, world = skeleton_of(HUMANOID).forward(clip.root_positions, clip.rotations)
    path = write(tmp_path / "world.npy", is_local=False, rotation={"arr": world[..., [1, 2, 3, 0]].numpy()})
    found = read_poselib(path)
    assert isinstance(found, Clip)
    assert (found.rotations * clip.rotations).sum(-1).abs().min() > 1 - 1e-12


def test_fps_may_be_an_array_of_no_dimension(tmp_path) -> None:
    assert read_poselib(write(tmp_path / "a.npy", fps=np.array(60))).fps == 60
    assert read_poselib(write(tmp_path / "a.npy", fps=np.float64(24))).fps == 24


def test_impure_hinge_is_left_to_retargeting(tmp_path) -> None:
    clip = samples.clip()
    rotations = clip.rotations.clone()
    shin = skeleton_of(HUMANOID).index("left_shin")
    twisted = rotation.from_rotation_vector(torch.tensor([0.1, 0.5, 0.0], dtype=torch.float64))
    rotations[:, shin] = twisted
    found = read_poselib(write(tmp_path / "a.npy", rotation={"arr": rotations[..., [1, 2, 3, 0]].numpy()}))
    assert isinstance(found, SourceMotion)
    torch.testing.assert_close(found.rotations[:, shin], twisted.expand(5, 4))


def test_other_skeletons_are_sources(tmp_path) -> None:
    tree = np.load(write(tmp_path / "a.npy"), allow_pickle=True).item()["skeleton_tree"]
    longer = {**tree, "local_translation": {"arr": tree["local_translation"]["arr"] * 1.1}}
    assert isinstance(read_poselib(write(tmp_path / "a.npy", skeleton_tree=longer)), SourceMotion)
    renamed = {**tree, "node_names": [np.str_(f"joint{i}") for i in range(15)]}
    found = read_poselib(write(tmp_path / "a.npy", skeleton_tree=renamed))
    assert isinstance(found, SourceMotion) and found.names[3] == "joint3" and found.parents[3] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"__name__": "SkeletonState"}, "single pose"),
        ({"__name__": None}, "not a poselib motion"),
        ({"fps": "thirty"}, "fps must be a number"),
        ({"fps": True}, "fps must be a number"),
        ({"fps": 10**20}, "fps must be a number"),
        ({"fps": 0}, "not a rate"),
        ({"is_local": 1}, "is_local"),
        ({"rotation": {"arr": np.zeros((5, 15, 4))}}, "not a unit quaternion"),
        ({"rotation": {"arr": np.full((5, 15, 4), np.nan)}}, "not finite"),
        ({"rotation": {"arr": np.full((5, 15, 4), 0x7F800001, np.uint32).view(np.float32)}}, "not finite"),
        ({"rotation": {"arr": np.ones((5, 14, 4))}}, "(5, 14, 4), but frames × 15 × 4 is needed"),
        ({"rotation": {"arr": np.zeros((0, 15, 4))}}, "is needed"),
        ({"rotation": {"arr": "text"}}, "no array of numbers"),
        ({"rotation": [1, 2]}, "not a dict"),
        ({"root_translation": {"arr": np.zeros((4, 3))}}, "5 × 3 is needed"),
        ({"skeleton_tree": {}}, "node_names"),
    ],
)
def test_faults_are_named(tmp_path, changes, message) -> None:
    path = write(tmp_path / "bad.npy", **changes)
    with pytest.raises(MotionFormatError, match=r"bad\.npy") as caught:
        read_poselib(path)
    assert message in str(caught.value)


def test_parents_must_come_first(tmp_path) -> None:
    tree = np.load(write(tmp_path / "a.npy"), allow_pickle=True).item()["skeleton_tree"]
    for bad in ([-1, *[14] * 14], [0] * 15, [-1] * 15):
        wrong = {**tree, "parent_indices": {"arr": np.array(bad)}}
        with pytest.raises(MotionFormatError, match="parent_indices"):
            read_poselib(write(tmp_path / "a.npy", skeleton_tree=wrong))


class Malice:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("function", ["system", "eval", "exec"])
def test_nothing_in_a_pickle_is_executed(tmp_path, protocol, function) -> None:
    proof = tmp_path / "executed"
    python = f"open({str(proof)!r}, 'w').close()"
    call = {
        "system": Malice(os.system, f"touch {proof}"),
        "eval": Malice(eval, python),
        "exec": Malice(exec, python),
    }[function]
    array = np.array({"__name__": "SkeletonMotion", "fps": call}, dtype=object)
    path = tmp_path / "evil.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
        file.write(pickle.dumps(array, protocol=protocol))
    with pytest.raises(MotionFormatError, match="refused"):
        read_poselib(path)
    assert not proof.exists()
    np.load(path, allow_pickle=True)  # the file is as malicious as it claims to be
    assert proof.exists()


def test_plain_array_is_refused(tmp_path) -> None:
    np.save(tmp_path / "plain.npy", np.zeros(3))
    with pytest.raises(MotionFormatError, match="plain array"):
        read_poselib(tmp_path / "plain.npy")
