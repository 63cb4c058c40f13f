"""Data sets of motions: a YAML file that names clips and how often each is seen.

::

    weighting: category        # clip (default) | second | category
    motions:
      - authored: true         # the motions that come with this package, mirrored ones and categories included
      - file: walk/07_01.bvh   # relative to this file
        weight: 2              # default 1
        labels: [walk forward]
        loop: true             # default: what the file says, if its last pose is indeed its first
        reverse: true          # from its end to its start: a walk becomes one that walks backward
        mirror: true           # also the mirrored motion; both share the weight
        category: {primary: walk, secondary: none}

Weights are relative: to other clips, to other seconds of motion, or to other clips of the same category.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

import torch
import yaml
from jaxtyping import Float
from torch import Tensor

from anyskill import rotation
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.cache import load_clip_cached
from anyskill.motion.clip import Clip
from anyskill.motion.errors import MotionError

Weighting = Literal["clip", "second", "category"]
Primary = Literal["idle", "walk", "combined"]
Secondary = Literal["none", "attack", "crawl", "jump", "dance"]

_LARGEST_SEAM = 0.3  # m; even a file that leaves out the repeated last frame stays below, when hands run
_TOP_KEYS = ("motions", "weighting")
_ENTRY_KEYS = ("file", "authored", "name", "weight", "labels", "loop", "reverse", "mirror", "category")


@dataclass(frozen=True)
class Category:
    """A group of motions by scale of action and limbs involved (AnySkill, section 4.1)."""

    primary: Primary
    secondary: Secondary = "none"


@dataclass(frozen=True)
class Motion:
    """One clip of a data set and its share."""

    clip: Clip
    weight: float = 1.0
    category: Category | None = None


@dataclass(frozen=True)
class Dataset:
    """Clips with their weights."""

    motions: tuple[Motion, ...]
    weighting: Weighting = "clip"

    @property
    def clips(self) -> tuple[Clip, ...]:
        """The clips in the order of the file."""
        return tuple(motion.clip for motion in self.motions)

    def chances(self) -> Float[Tensor, "clip"]:
        """Chance of each clip to be sampled; float64, sums to one.

        By ``clip``: as its weight. By ``second``: as weight times duration, so that every second of motion is seen
        equally often. By ``category``: all categories that have a clip are equally likely, within one as the weight.
        """
        weights = torch.tensor([motion.weight for motion in self.motions], dtype=torch.float64)
        if self.weighting == "second":
            weights *= torch.tensor([motion.clip.duration for motion in self.motions], dtype=torch.float64)
        if self.weighting == "category":
            categories = [motion.category for motion in self.motions]
            for category in set(categories):
                members = torch.tensor([other == category for other in categories])
                weights[members] /= weights[members].sum().clamp_min(1e-300)
        return weights / weights.sum()


def load_dataset(path: Path) -> Dataset:
    """Read a data set and all its clips.

    Raises:
        MotionError: The file or an entry of it is wrong; the message says which one and why.
    """
    content = _parse(path)
    _check_keys(content, _TOP_KEYS, str(path))
    weighting = _one_of(content.get("weighting", "clip"), Weighting, f"{path}: weighting")
    entries = content.get("motions")
    if not isinstance(entries, list) or not entries:
        raise MotionError(f"{path}: motions must be a list with at least one entry.")
    motions: list[Motion] = []
    for number, entry in enumerate(entries, 1):
        motions += _Entry(path, number, entry).motions()
    seen: dict[str, int] = {}
    for motion in motions:
        seen[motion.clip.name] = seen.get(motion.clip.name, 0) + 1
    twice = [name for name, count in seen.items() if count > 1]
    if twice:
        raise MotionError(f"{path}: {seen[twice[0]]} motions are named {twice[0]}; give each entry a name of its own.")
    if not any(motion.weight for motion in motions):
        raise MotionError(f"{path}: all weights are zero; give at least one motion a weight above zero.")
    for motion in motions:
        if weighting == "category" and motion.category is None:
            raise MotionError(
                f"{path}: {motion.clip.name} has no category, but the weighting is by category; add"
                " category: {primary: ..., secondary: ...} or choose weighting: clip."
            )
    return Dataset(tuple(motions), weighting)


def joined(datasets: Sequence[Dataset]) -> Dataset:
    """All their motions, with the weighting of the first."""
    return replace(datasets[0], motions=tuple(motion for dataset in datasets for motion in dataset.motions))


class _Entry:
    """One item of the list, with errors that say which."""

    def __init__(self, path: Path, number: int, content: object) -> None:
        self.path = path
        self.where = f"{path}, entry {number}"
        if not isinstance(content, Mapping):
            raise MotionError(f"{self.where} must be a mapping such as {{file: walk.bvh}}, not {content!r}.")
        self.content = content
        if isinstance(content.get("file"), str):
            self.where += f" ({content['file']})"
        _check_keys(content, _ENTRY_KEYS, self.where)

    def motions(self) -> list[Motion]:
        weight = self._weight()
        if self._flag("authored"):
            return self._authored(weight)
        clip, category = self._clip(), self._category()
        clips = [clip, clip.mirrored()] if self._flag("mirror") else [clip]
        return [Motion(each, weight / len(clips), category) for each in clips]

    def _authored(self, weight: float) -> list[Motion]:
        alien = sorted(set(self.content) - {"authored", "weight"})
        if alien:
            raise MotionError(f"{self.where}: {alien[0]} cannot stand beside authored: true.")
        from anyskill.motion.authored import authored_motions

        return [replace(motion, weight=weight * motion.weight) for motion in authored_motions()]

    def _clip(self) -> Clip:
        name = self.content.get("file")
        if not isinstance(name, str):
            raise MotionError(f"{self.where} needs file: PATH or authored: true.")
        file = self.path.parent / name
        if not file.is_file():
            raise MotionError(f"{self.where}: there is no file {file}.")
        clip = load_clip_cached(file)
        clip = clip.reversed() if self._flag("reverse") else clip
        labels = self._labels() if "labels" in self.content else clip.labels
        return replace(clip, name=self._text("name") or file.stem, labels=labels, loop=self._loop(clip))

    def _loop(self, clip: Clip) -> bool:
        gap = _seam(clip)
        if self._flag("loop") and gap > _LARGEST_SEAM:
            raise MotionError(
                f"{self.where}: loop is true, but the last pose is {gap:.2f} m away from the first; trim the motion to"
                " whole cycles or leave loop out."
            )
        return self._flag("loop", clip.loop and gap <= _LARGEST_SEAM)

    def _weight(self) -> float:
        value = self.content.get("weight", 1.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            raise MotionError(f"{self.where}: weight is {value!r}; it must be a number from zero up.")
        return float(value)

    def _flag(self, key: str, default: bool = False) -> bool:
        value = self.content.get(key, default)
        if not isinstance(value, bool):
            raise MotionError(f"{self.where}: {key} is {value!r}; it must be true or false.")
        return value

    def _text(self, key: str) -> str | None:
        value = self.content.get(key)
        if value is not None and (not isinstance(value, str) or not value):
            raise MotionError(f"{self.where}: {key} is {value!r}; it must be a text.")
        return value

    def _labels(self) -> tuple[str, ...]:
        value = self.content["labels"]
        if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
            raise MotionError(f"{self.where}: labels is {value!r}; it must be a list of texts.")
        return tuple(value)

    def _category(self) -> Category | None:
        value = self.content.get("category")
        if value is None:
            return None
        where = f"{self.where}: category"
        if not isinstance(value, Mapping):
            raise MotionError(f"{where} is {value!r}; it must be such as {{primary: walk, secondary: none}}.")
        _check_keys(value, ("primary", "secondary"), where)
        return Category(
            _one_of(value.get("primary"), Primary, f"{where} primary"),
            _one_of(value.get("secondary", "none"), Secondary, f"{where} secondary"),
        )


def _seam(clip: Clip) -> float:
    """How far (m) a body of the last frame is at most from the first frame's, both at the origin and facing +x."""
    ends = clip.rotations[[0, -1]].clone()
    ends[:, 0] = rotation.multiply(rotation.conjugate(rotation.heading_rotation(ends[:, 0])), ends[:, 0])
    roots = clip.root_positions[[0, -1]] * torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    positions, _ = skeleton_of(clip.character).forward(roots, ends)
    return float((positions[0] - positions[1]).norm(dim=-1).max())


def _parse(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise MotionError(f"{path}: there is no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise MotionError(f"{path} cannot be read ({error}).") from None
    except yaml.YAMLError as error:
        raise MotionError(f"{path} is not valid YAML ({' '.join(str(error).split())}).") from None
    if not isinstance(content, Mapping):
        raise MotionError(f"{path} must be a mapping with a list of motions.")
    return content


def _check_keys(content: Mapping[Any, Any], known: Sequence[str], where: str) -> None:
    for key in content:
        if key not in known:
            near = get_close_matches(str(key), known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
            raise MotionError(f"{where}: there is no key {key}; {hint}")


def _one_of(value: object, choices: Any, where: str) -> Any:
    known = get_args(choices)
    if value in known:
        return value
    near = get_close_matches(str(value), known, 1)
    hint = f"did you mean {near[0]}?" if near else f"it must be one of {', '.join(known)}."
    raise MotionError(f"{where} is {value!r}; {hint}")
