"""The report on controllers of which the answer is known, and its page."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch

from anyskill.body.humanoid import SWORD_AND_SHIELD
from anyskill.body.skeleton import skeleton_of
from anyskill.controller.controller import ControllerError
from anyskill.controller.page import Subject, write_report
from anyskill.controller.report import BARS, Bar, Report, measure
from anyskill.motion.clip import Clip
from anyskill.motion.library import MotionLibrary
from tests.controller.made_up import SKELETON, Scripted, arm_clip, library

KEYS = [
    *("recall", "calm", "coverage", "entropy", "recovery", "jerk_ratio", "slide_ratio", "penetration", "retrieval"),
    *("travel", "lively", "held"),
]


class Walker(Scripted):
    """Begins its script anew with every engine, whatever its number of worlds."""

    def act(self, state, z):
        if len(z) != len(self._order):
            self._order, self._step = torch.arange(len(z)) % 3, 0
        return super().act(state, z)


@pytest.fixture(scope="module")
def report() -> Report:
    motions = library()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("anyskill.controller.report.authored_motions", lambda: ())  # they take seconds to read
        return measure(Walker(motions, [0]), motions, worlds=6)


def test_the_figures_are_those_of_the_parts(report: Report) -> None:
    figures = report.figures()
    assert list(figures) == KEYS == [bar.key for bar in BARS] == list(report.details())
    assert (figures["recall"], figures["coverage"], figures["recovery"]) == (1.0, 1.0, 0.0)
    assert (figures["calm"], figures["retrieval"]) == (report.calm.share, report.quality.retrieval)
    assert figures["entropy"] > 0.7
    assert figures["travel"] is None  # all clips stand
    assert figures["lively"] == report.played.lively
    assert 0.0 <= figures["penetration"] < 0.05
    assert figures["held"] == report.held.share
    assert figures["jerk_ratio"] == pytest.approx(float(report.done.jerk.sum() / report.wanted.jerk.sum()))


def test_only_captured_clips_that_are_recalled_are_compared(report: Report) -> None:
    authored = Report(**{**vars(report), "captured": torch.zeros(3, dtype=torch.bool)})
    assert authored.figures()["jerk_ratio"] is None
    one = Report(**{**vars(report), "captured": torch.tensor([False, True, False])})
    assert one.figures()["jerk_ratio"] == pytest.approx(float(report.done.jerk[1] / report.wanted.jerk[1]))
    far = torch.ones_like(report.recall.body_errors)
    lost = type(report.recall)(**{**vars(report.recall), "body_errors": far})
    assert Report(**{**vars(report), "recall": lost}).figures()["jerk_ratio"] is None


def test_bars() -> None:
    share, ratio, free = Bar("a", "A", "%", 0.8), Bar("b", "B", "×", 2.0, highest=True), Bar("c", "C", "cm")
    assert [share.holds(value) for value in (0.8, 0.79, None)] == [True, False, None]
    assert [ratio.holds(value) for value in (2.0, 2.1)] == [True, False]
    assert free.holds(1.0) is None
    assert (share.wanted, ratio.wanted, free.wanted) == ("≥ 80 %", "≤ 2.00 ×", "")
    assert (free.text(0.0123), free.text(None)) == ("1.2 cm", "–")


def test_motions_of_another_body_are_refused() -> None:
    motions = library()
    controller = Walker(motions, [0])
    clip = arm_clip("right arm", 7, -1.5)
    other = skeleton_of(SWORD_AND_SHIELD)
    local = torch.zeros(clip.num_frames, other.num_bodies, 4, dtype=torch.float64)
    local[..., 0] = 1.0
    armed = Clip("armed", 30, clip.root_positions, local, character=SWORD_AND_SHIELD)
    with pytest.raises(ControllerError, match="moves the humanoid, but the motions are of the"):
        measure(controller, MotionLibrary([armed]), worlds=2)


class _Outside(HTMLParser):
    """Collects what a page would fetch, and the tags it leaves open."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.fetched += [values[key] for key in ("src", "srcset", "data", "poster") if key in values]
        self.fetched += [values["href"]] if tag == "link" else []
        self.ids += [values["id"]] if "id" in values else []
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_stands_alone(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anyskill.controller.page.film", lambda path, *_: path.touch())
    metrics = [{"iteration": i, "reward": 0.1 * i, "falls": None} for i in range(1, 500)]
    subject = Subject("a <b> & c", ("humanoid", "3 clips"), SKELETON.character, metrics)
    (tmp_path / "page").mkdir()
    path = write_report(report, subject, tmp_path / "page", films=True)
    text = path.read_text("utf-8")
    page = _Outside()
    page.feed(text)
    assert not page.open
    assert page.fetched and all(source.startswith("data:image/jpeg;base64,") for source in page.fetched)
    assert not re.search(r"https?://|@import|url\(|<script", text)
    assert page.ids == KEYS
    assert "a &lt;b&gt; &amp; c" in text
    assert all(name in text for name in report.names)
    assert "reward" in text and "share of episodes that fall" not in text  # null throughout
    assert (
        len(re.search(r'<polyline[^>]*points="([^"]*)"/></svg>|reward over training.*?points="([^"]*)"', text)[0])
        < 5000
    )
    films = sorted(file.name for file in path.parent.glob("*.mp4"))
    assert films == sorted(f"{name}.mp4" for name in report.names)
    assert all(f'href="{name.replace(" ", "%20")}"' in text for name in films)
