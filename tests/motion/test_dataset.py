"""Data sets: shares of clips by weight, second and category, and a clear word about everything that is wrong."""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from anyskill.motion.bench import synthetic_clip
from anyskill.motion.clip import Clip
from anyskill.motion.dataset import Category, Dataset, Motion, joined, load_dataset
from anyskill.motion.errors import MotionError
from anyskill.motion.library import MotionLibrary


def _palindrome(values: Tensor) -> Tensor:
    """The first half, forwards and backwards, one frame for each of ``values`` at most."""
    half = values[: (len(values) + 1) // 2]
    return torch.cat((half, half[:-1].flip(0)))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of "motion files": each holds the seconds of the clip that a fake reader makes of it."""

    def read(path: Path) -> Clip:
        seconds, loop = path.read_text().split()
        clip = synthetic_clip(int(seconds), float(seconds))
        if loop == "broken":  # says that it is one
            clip = replace(clip, loop=True)
        if loop == "loop":  # there and back again
            clip = Clip("", clip.fps, *(_palindrome(v) for v in (clip.root_positions, clip.rotations)), loop=True)
        return Clip(path.stem, clip.fps, clip.root_positions, clip.rotations, ("from file",), clip.loop)

    fakes = {
        "anyskill.motion.importing": SimpleNamespace(load_clip_any=read),
        "anyskill.motion.authored": SimpleNamespace(
            authored_motions=lambda: (
                Motion(synthetic_clip(90), 0.5, Category("idle", "dance")),
                Motion(synthetic_clip(91), 1.0, Category("walk")),
            )
        ),
    }
    for name, fake in fakes.items():
        monkeypatch.setitem(sys.modules, name, fake)
    monkeypatch.setenv("ANYSKILL_CACHE", str(tmp_path / "cache"))
    for name, content in {"walk": "2 plain", "run": "4 loop", "kick": "1 plain", "sub/jump": "3 plain"}.items():
        file = tmp_path / f"{name}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "set.yaml"
    path.write_text(text)
    return path


def shares(folder: Path, text: str) -> dict[str, float]:
    dataset = load_dataset(write(folder, text))
    return dict(zip((clip.name for clip in dataset.clips), dataset.chances().tolist(), strict=True))


def test_entries_become_clips(folder: Path) -> None:
    dataset = load_dataset(
        write(
            folder,
            """
            motions:
              - {file: walk.txt, labels: [walk left], mirror: true, weight: 2}
              - {file: sub/jump.txt, name: leap, category: {primary: idle, secondary: jump}}
              - {file: run.txt, category: {primary: walk}}
              - {file: run.txt, name: once, loop: false, reverse: true}
              - {authored: true, weight: 3}
            """,
        )
    )
    assert [clip.name for clip in dataset.clips] == [
        "walk", "walk-mirrored", "leap", "run", "once", "synthetic-90", "synthetic-91",
    ]  # fmt: skip
    assert [clip.labels for clip in dataset.clips[:3]] == [("walk left",), ("walk right",), ("from file",)]
    assert [clip.loop for clip in dataset.clips[:4]] == [False, False, False, True]
    assert [clip.loop for clip in dataset.clips[4:]] == [False] * 3
    run, backward = dataset.clips[3:5]
    assert torch.equal(backward.root_positions, run.root_positions.flip(0))
    assert [motion.weight for motion in dataset.motions] == [1, 1, 1, 1, 1, 1.5, 3]
    assert dataset.motions[2].category == Category("idle", "jump")
    assert dataset.motions[3].category == Category("walk", "none")
    assert dataset.motions[5].category == Category("idle", "dance")


def test_a_file_that_claims_to_be_a_loop_must_close(folder: Path) -> None:
    (folder / "open.txt").write_text("2 broken")
    (clip,) = load_dataset(write(folder, "motions: [{file: open.txt}]")).clips
    assert not clip.loop


def test_weights_by_clip_and_by_second(folder: Path) -> None:
    motions = "motions: [{file: walk.txt}, {file: run.txt, weight: 3}, {file: kick.txt, weight: 0}]"
    assert shares(folder, motions) == pytest.approx({"walk": 0.25, "run": 0.75, "kick": 0})
    by_second = shares(folder, motions + "\nweighting: second")
    assert by_second == pytest.approx({"walk": 2 / 14, "run": 12 / 14, "kick": 0})


def test_categories_share_equally(folder: Path) -> None:
    text = """
        weighting: category
        motions:
          - {file: walk.txt, category: {primary: walk}}
          - {file: run.txt, category: {primary: walk, secondary: none}, weight: 3}
          - {file: kick.txt, category: {primary: idle, secondary: attack}, mirror: true}
          - {file: sub/jump.txt, category: {primary: combined, secondary: jump}, weight: 0.01}
          - {authored: true, weight: 0}
        """
    expected = {"walk": 1 / 4, "run": 3 / 4, "kick": 1 / 2, "kick-mirrored": 1 / 2, "jump": 1}
    found = shares(folder, text)
    assert found == pytest.approx(
        {**{name: share / 3 for name, share in expected.items()}, "synthetic-90": 0, "synthetic-91": 0}
    )
    four = shares(folder, text.replace("weight: 0}", "weight: 1}"))  # idle dance is new, walk has a third clip
    assert four["synthetic-90"] == pytest.approx(1 / 4)
    assert four["synthetic-91"] == pytest.approx(1 / 4 * 1 / 5)


def test_a_library_of_a_data_set(folder: Path) -> None:
    path = write(folder, "motions: [{file: walk.txt, weight: 0}, {file: run.txt, mirror: true}]")
    library = MotionLibrary.load(path)
    assert library.names == ("walk", "run", "run-mirrored")
    assert library.durations == pytest.approx((2, 4, 4))


ONE = "motions: [{file: walk.txt, %s}]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("motions: []", "motions must be a list with at least one entry"),
        ("motions: walk.txt", "motions must be a list"),
        ("weighting: clip", "motions must be a list"),
        ("- walk.txt", "must be a mapping"),
        ("motions: [{file: walk.txt", "is not valid YAML"),
        ("motions: [walk.txt]", r"entry 1 must be a mapping .* not 'walk.txt'"),
        ("motion: [{file: walk.txt}]", "no key motion; did you mean motions?"),
        ("motions: [{file: walk.txt}]\nweighting: seconds", "'seconds'; did you mean second?"),
        ("motions: [{file: walk.txt}]\nweighting: category", "walk has no category"),
        ("motions: [{file: walk.txt}, {file: run.xyz}]", r"entry 2 \(run.xyz\): there is no file .*run.xyz"),
        ("motions: [{file: .}]", r"entry 1 \(.\): there is no file"),
        ("motions: [{weight: 2}]", "entry 1 needs file: PATH or authored: true"),
        ("motions: [{authored: true, loop: true}]", "loop cannot stand beside authored"),
        ("motions: [{file: walk.txt}, {file: walk.txt}]", "2 motions are named walk"),
        ("motions: [{file: walk.txt}, {file: run.txt, name: walk}]", "2 motions are named walk"),
        ("motions: [{file: walk.txt, weight: 0}, {file: run.txt, weight: 0}]", "all weights are zero"),
        (ONE % "weight: -1", r"entry 1 \(walk.txt\): weight is -1"),
        (ONE % "weight: .nan", "weight is nan"),
        (ONE % "weight: .inf", "weight is inf"),
        (ONE % "weight: heavy", "weight is 'heavy'"),
        (ONE % "weight: true", "weight is True"),
        (ONE % "wieght: 1", r"entry 1 \(walk.txt\): there is no key wieght; did you mean weight?"),
        (ONE % "zzz: 1", "no key zzz; known are file, authored"),
        (ONE % "loop: true", r"walk.txt\): loop is true, but the last pose is \d.\d+ m away"),
        (ONE % "labels: walk", "labels is 'walk'"),
        (ONE % "labels: [1]", r"labels is \[1\]"),
        (ONE % "loop: 1", "loop is 1; it must be true or false"),
        (ONE % "mirror: maybe", "mirror is 'maybe'"),
        (ONE % "name: 7", "name is 7"),
        (ONE % "category: walk", "category is 'walk'"),
        (ONE % "category: {primary: wlak}", "primary is 'wlak'; did you mean walk?"),
        (ONE % "category: {secondary: jump}", "primary is None; it must be one of idle, walk, combined"),
        (ONE % "category: {primary: walk, secondary: [jump]}", r"secondary is \['jump'\]"),
        (ONE % "category: {primary: walk, second: jump}", "no key second; did you mean secondary?"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, text: str, message: str) -> None:
    path = write(folder, text)
    with pytest.raises(MotionError, match=message) as caught:
        load_dataset(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_data_set_at_all(folder: Path) -> None:
    with pytest.raises(MotionError, match="there is no such file"):
        load_dataset(folder / "none.yaml")
    with pytest.raises(MotionError, match="cannot be read"):
        load_dataset(folder)
    (folder / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MotionError, match="cannot be read"):
        load_dataset(folder / "binary.yaml")


def test_real_files(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYSKILL_CACHE", str(tmp_path / "cache"))
    motions = shared_data / "motions"
    path = write(
        tmp_path,
        f"""
        weighting: second
        motions:
          - {{file: {motions}/deepmimic/humanoid3d_walk.txt, labels: [walk], mirror: true}}
          - {{file: {motions}/isaacgymenvs_cmu/amp_humanoid_hop.npy}}
        """,
    )
    library = MotionLibrary.load(path)
    assert library.names == ("humanoid3d_walk", "humanoid3d_walk-mirrored", "amp_humanoid_hop")
    assert library.durations[:2] == pytest.approx((1.26, 1.26), abs=0.05)
    clip, end = library.sample_windows(200, torch.Generator().manual_seed(0), 60)
    windows = library.windows(clip, end, 60)
    assert torch.isfinite(windows).all()
    assert ((windows[..., 0] > 0.6) & (windows[..., 0] < 1.4)).all()  # root height
    walking = windows[clip < 2][..., 7]  # forward velocity of the root
    assert 0.7 < walking.mean() < 1.3


def test_data_sets_are_joined(tmp_path: Path) -> None:
    a, b, c = (replace(synthetic_clip(0, 2.0), name=name) for name in "abc")
    first = Dataset((Motion(a, 1.0), Motion(b, 3.0)), "second")
    second = Dataset((Motion(c, 4.0),))
    both = joined([first, second])
    assert [clip.name for clip in both.clips] == ["a", "b", "c"]
    assert both.weighting == "second"
    assert both.chances().tolist() == [1 / 8, 3 / 8, 1 / 2]
