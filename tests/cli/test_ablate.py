"""``anyskill ablate``: which runs it makes, what it writes, and what it says to wrong input."""

import json
import re
from pathlib import Path

import pytest

from anyskill.cli.ablate import ablate
from anyskill.cli.main import main
from anyskill.errors import AnyskillError
from anyskill.evaluate import ablations, comparisons
from anyskill.evaluate.ablations import Case, Made
from anyskill.evaluate.generalisation import Split, load_split
from anyskill.vision_language.model import VisionLanguageError
from tests.evaluate.made_up_runs import Learner, measure

SUITE = """
sentences:
  - {text: raise both arms, group: arms, hold: 1, test: standing}
  - {text: bow, group: pose, test: {not: standing}}
"""


@pytest.fixture
def learner(monkeypatch: pytest.MonkeyPatch) -> Learner:
    """In place of learning and evaluating; X-CLIP is not at hand."""
    learner = Learner()

    def no_video(case: Case, folder: Path) -> Made:
        raise VisionLanguageError("microsoft/xclip-base-patch32 cannot be fetched.")

    variants = {row.variant for name in comparisons.TABLES for row in comparisons.table(name, ()).rows}
    recipes = dict.fromkeys(variants, learner) | {"video": no_video}
    monkeypatch.setattr(comparisons, "recipes", lambda means, folder: recipes)
    monkeypatch.setattr(ablations, "measuring", lambda settings: measure)
    return learner


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "suite.yaml").write_text(SUITE)
    return tmp_path / "suite.yaml"


def test_one_command_makes_the_tables(
    learner: Learner, suite: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    out, docs = tmp_path / "out", tmp_path / "results.md"
    docs.write_text("# Results\n\n<!-- ablations -->\n<!-- /ablations -->\n")
    options = ["--suite", str(suite), "--seeds", "2", "--minutes-per-run", "1", "--docs", str(docs)]
    main(["ablate", "--out", str(out), "--table", "1", *options])
    variants = ["full", "no-early-termination", "no-enhancement"]
    order = [(v, text, seed) for seed in (0, 1) for text in ("raise both arms", "bow") for v in variants]
    assert [key[:3] for key in learner.asked] == order
    lines = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert [(line["variant"], line["text"], line["seed"]) for line in lines] == order

    text = (out / "tables.md").read_text()
    assert "| full | 4 | 20 [" in text
    assert "| video | – | – |" in text
    assert "Not run: `video`: microsoft/xclip-base-patch32 cannot be fetched." in text
    assert f"`anyskill ablate --out {out} --table 1 --suite {suite} --seeds 2 --minutes-per-run 1.0" in text
    assert docs.read_text() == f"# Results\n\n<!-- ablations -->\n\n{text}\n<!-- /ablations -->\n"
    captured = capsys.readouterr()
    assert re.search(r"no-early-termination +4 +100 \[100, 100\] +\+80 \[", captured.out)
    assert "seed 1, bow, full: 21 %, 10 s" in captured.err

    main(["ablate", "--out", str(out), "--table", "1", *options])  # nothing is left to do
    assert len(learner.asked) == len(order)
    main(["ablate", "--out", str(out), "--table", "3", *options])  # only what table 1 has not made yet
    assert len(learner.asked) == len(order) + 4 * 4


def test_sentences_are_chosen_by_their_wording(learner: Learner, suite: Path, tmp_path: Path) -> None:
    ablate(tmp_path / "out", ("3",), ("Bow!",), suite, seeds=1)
    assert {key[1] for key in learner.asked} == {"bow"}
    assert len(learner.asked) == 5


def test_several_tables_are_made_at_once(learner: Learner, suite: Path, tmp_path: Path) -> None:
    main(["ablate", "--out", str(tmp_path / "out"), "--table", "1", "3", "--suite", str(suite), "--seeds", "1"])
    text = (tmp_path / "out" / "tables.md").read_text()
    assert re.findall("### (Table .)", text) == ["Table 1", "Table 3"]
    assert "--table 1 3 --suite" in text
    variants = [key[0] for key in learner.asked if key[1] == "bow"]
    assert variants == ["full", "no-early-termination", "no-enhancement", "vlm-rm", "clip-s", "avgpool", "+velocity"]


def test_the_text_table_has_sentences_of_its_own(
    learner: Learner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load_split()
    split = Split(whole.train[:2], whole.held_out[::7])
    monkeypatch.setattr(comparisons, "load_split", lambda: split)
    ablate(tmp_path / "out", ("text",), seeds=1)
    made: dict[str, list[str]] = {}
    for variant, text, _, _ in learner.asked:
        made.setdefault(variant, []).append(text)
    held_out, train = [s.text for s in split.held_out], [s.text for s in split.train]
    assert made == {"search+ppo": held_out, "random-latents": held_out, "text-conditioned": held_out + train}
    table = (tmp_path / "out" / "tables.md").read_text()
    assert f"| told, never trained on | {len(held_out)} | 80 [" in table  # "text-conditioned" has 16 letters of 20
    assert "| 160 [160, 160] |" in table  # and "search+ppo" 10


def test_ctrl_c_leaves_what_is_known(
    learner: Learner, suite: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(case: Case, folder: Path) -> Made:
        raise KeyboardInterrupt

    monkeypatch.setattr(comparisons, "recipes", lambda means, folder: {"full": learner, "vlm-rm": stopped})
    with pytest.raises(SystemExit, match="130"):
        main(["ablate", "--out", str(tmp_path / "out"), "--table", "3", "--suite", str(suite)])
    assert "the same command goes on from here" in capsys.readouterr().err
    assert "| cosine (full) | 1 of 6 | 20 |" in (tmp_path / "out" / "tables.md").read_text()


def test_where_nothing_can_be_run_the_reason_is_given(
    learner: Learner, suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_controller(case: Case, folder: Path) -> Made:
        raise AnyskillError("there is no controller.")

    recipes = dict.fromkeys(("full", "vlm-rm", "clip-s", "avgpool", "+velocity"), no_controller)
    monkeypatch.setattr(comparisons, "recipes", lambda means, folder: recipes)
    with pytest.raises(AnyskillError, match=r"nothing could be run: there is no controller\."):
        ablate(tmp_path / "out", ("3",), suite=suite)


def test_wrong_input_is_told_in_a_sentence(learner: Learner, suite: Path, tmp_path: Path) -> None:
    with pytest.raises(AnyskillError, match='the suite has no test for "fly"; write one into a file'):
        ablate(tmp_path / "out", ("1",), ("fly",), suite)
    with pytest.raises(AnyskillError, match="is a file; --out must be a folder"):
        ablate(suite, ("1",), suite=suite)
    with pytest.raises(AnyskillError, match="--seeds must be at least 1"):
        ablate(tmp_path / "out", ("1",), suite=suite, seeds=0)
    with pytest.raises(AnyskillError, match="--docs names a Markdown page that exists"):
        ablate(tmp_path / "out", ("1",), suite=suite, docs=tmp_path / "no.md")
    assert learner.asked == []
    ablate(tmp_path / "out", ("1",), suite=suite, seeds=1)
    with pytest.raises(AnyskillError, match="was begun with episodes 32, and this is 64"):
        ablate(tmp_path / "out", ("1",), suite=suite, seeds=1, episodes=64)
