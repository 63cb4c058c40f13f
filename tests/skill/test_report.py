"""The page of a run that never was: whole, stopped early, and with words that would break it."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from anyskill.skill.charts import duration, learning_charts, time_charts
from anyskill.skill.errors import SkillError
from anyskill.skill.report import write_report
from anyskill.skill.summary import Confidence, Similarity
from tests.skill.made_up_run import metrics, summary, write_run


class Page(HTMLParser):
    """Checks that tags are closed, and collects text and what would be fetched."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text("utf-8")
        self.open: list[str] = []
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.charts: list[str] = []
        self._texts: list[str] = []
        self.feed(self.source)
        assert not self.open
        assert not re.search(r"https?://|@import|url\(", self.source)
        assert all(source.startswith("data:") for source in self.fetched)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.fetched += [values[key] for key in ("src", "srcset", "data", "poster") if key in values]
        self.tags.append(tag)
        self.charts += [values["aria-label"]] if tag == "svg" else []
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "title"):
            self._texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"[ \n]+", " ", " ".join(self._texts))


def test_a_whole_run(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    path = write_report(folder)
    page = Page(path)
    assert path == folder / "report.html"
    assert "raise both arms straight up above the head" in page.text
    assert "This skill reaches 0.63, 0.16 above the best single latent." in page.text
    assert "Training converged after 140 iterations." in page.text
    assert "I know these words well" in page.text
    assert [source.split(",")[0] for source in page.fetched] == ["data:video/mp4;base64", "data:image/png;base64"]
    assert page.charts == [
        "similarity by how latents are chosen",
        "Similarity over training",
        "Reward over training",
        "Falls and early terminations over training",
        "Audits against true pictures over training",
        "score by stage",
        "time by stage",
    ]
    assert "0 of 2 raised an alarm" in page.text
    assert "3 min 18 s in all." in page.text
    assert "worlds: 256" in page.text
    for command in (
        f"anyskill play {folder}",
        f"anyskill evaluate {folder}",
        "anyskill learn --resume runs/raise-both-arms",
        f"Skill.load({str(folder)!r})",
    ):
        assert command in page.text
    assert "has not written" not in page.text and 'class="notice"' not in page.source


def test_words_of_the_user_stay_words(tmp_path: Path) -> None:
    hostile = "<script>alert('1')</script> & \"x\""
    folder = write_run(
        tmp_path / "it's <b>",
        text=hostile,
        description=hostile,
        scorer="<i>",
        controller="<i>",
        command=hostile,
        confidence=Confidence("hardly", "<i>"),
    )
    (folder / "config.yaml").write_text("text: </pre><script>", "utf-8")
    page = Page(write_report(folder))
    assert not {"script", "i", "b"} & set(page.tags)
    assert page.text.count(hostile) == 2  # the sentence, which is read as it was typed, and the command
    assert f"anyskill play '{tmp_path}/it'\"'\"'s <b>'" in page.text  # as a shell needs it


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    early = tmp_path / "early"
    early.mkdir()
    page = Page(write_report(early))
    assert "there is no summary.json" in page.text
    assert "not written metrics.jsonl, skill.safetensors, video.mp4, sheet.png, config.yaml." in page.text
    assert "No verdict" in page.text
    assert not page.fetched and not page.charts and "anyskill play" not in page.text

    stopped = write_run(tmp_path / "stopped", similarity=Similarity(), converged=False)
    (stopped / "video.mp4").write_bytes(b"")
    (stopped / "sheet.png").unlink()
    with (stopped / "metrics.jsonl").open("a") as file:
        file.write('{"iteration": 141, "rew')
    page = Page(write_report(stopped))
    assert "The run has not written video.mp4, sheet.png." in page.text
    assert "No verdict" in page.text and "Similarity over training" in page.charts

    (stopped / "summary.json").write_text("{")
    page = Page(write_report(stopped))
    assert "summary.json cannot be read" in page.text and "Similarity over training" in page.charts
    with pytest.raises(SkillError, match="there is no such folder"):
        write_report(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"similarity": Similarity(0.2, 0.3, None, 0.27)}, "reaches 0.27, 0.03 below the best single latent."),
        ({"similarity": Similarity(0.2, 0.3, 0.3, 0.304)}, "reaches 0.30, no more than the best single latent."),
        ({"similarity": Similarity(final=0.3)}, "This skill reaches 0.30."),
        ({"similarity": Similarity(0.2, 0.3, 0.5, 0.5)}, "no better than what search had found, which was kept."),
        ({"stopped": True, "iterations": 1}, "Training was stopped by hand after 1 iteration."),
        ({"converged": False}, "Training ended with its budget after 140 iterations, before it had converged."),
        ({"converged": False, "iterations": 0}, "It was found by search alone"),
        ({"sentences": 3}, "Means over 3 sentences, which one policy was told."),
        ({"confidence": None}, "It cannot tell whether it knows these words"),
        ({"confidence": Confidence("hardly", "I know these words hardly")}, "Its figures mean little for them"),
    ],
)
def test_the_verdict_is_honest(tmp_path: Path, changes: dict, verdict: str) -> None:
    assert verdict in Page(write_report(write_run(tmp_path / "run", **changes))).text


def test_falls_count_episodes_not_iterations(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    lines = metrics(20)
    for line in lines:
        line |= {"episodes": 0, "falls": 0.0, "early/similarity": 0, "early/head": 0}
    lines[-1] |= {"episodes": 90, "falls": 0.1}
    lines[-2] |= {"episodes": 10, "falls": 1.0}
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert (
        "In its last iterations 19\N{NO-BREAK SPACE}% of episodes ended in a fall." in Page(write_report(folder)).text
    )


def test_an_alarm_is_told_first(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", alarm="pictures do not agree.")
    lines = metrics()
    lines[99] |= {"audit/alarm": 1.0, "audit/spearman": None}  # all states scored the same
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    text = Page(write_report(folder)).text
    assert text.index("Audit: pictures do not agree.") < text.index("Similarity with the sentence")
    assert "1 of 2 raised an alarm" in text and "rank correlation of their scores unknown" in text


def test_charts_need_two_points() -> None:
    assert learning_charts([]) == []
    (similarity, *_, ends) = learning_charts(metrics(1))
    assert "<svg" not in similarity and "<svg" not in ends
    assert sum("<svg" in chart for chart in learning_charts(metrics(60))) == 3  # one audit is no curve
    assert time_charts(None, []) == []
    assert "world" not in time_charts(summary(), [])[-1]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.44, "9.4 s"), (59.4, "59 s"), (59.7, "1 min 0 s"), (171, "2 min 51 s"), (11999, "3 h 19 min")],
)
def test_times_are_said_as_people_do(seconds: float, text: str) -> None:
    assert duration(seconds) == text
