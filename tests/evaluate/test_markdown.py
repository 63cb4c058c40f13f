"""Tables as text, and their place in a page."""

from dataclasses import replace
from pathlib import Path

import pytest

from anyskill.evaluate.ablations import Results
from anyskill.evaluate.errors import EvaluationError
from anyskill.evaluate.estimates import HOW
from anyskill.evaluate.markdown import BEGIN, END, by_sentence, document, grid, insert
from anyskill.evaluate.tables import Row, Table
from tests.evaluate.made_up_runs import SENTENCES, SETTINGS, result

ARMS, WALK, BOW = SENTENCES
TABLE = Table(
    "Table 9: how",
    (Row("full", (ARMS, WALK), paper=(6.16, 24.18)), Row("plain", (ARMS, WALK), "from nothing"), Row("paper", (ARMS,))),
    "A note.",
)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    results = Results(tmp_path / "out")
    for variant, success in (("full", (1.0, 0.5)), ("plain", (0.5, 0.25))):
        for sentence, share in zip((ARMS, WALK), success, strict=True):
            results.add(result(variant, sentence, 0, share))
    results.add(result("full", ARMS, 1, 1.0))
    return results


def test_cells(results: Results) -> None:
    found = grid(TABLE, results, [0, 1])
    assert found.headings == (
        *("variant", "runs", "success %", "difference", "falls %", "CLIP-S", "held out", "s"),
        *("paper: rating", "paper: CLIP-S"),
    )
    same = ("0 [0, 0]", "25.0 [25.0, 25.0]")
    assert found.rows == (
        ("full", "3 of 4", "75 [0, 100]", "–", *same, "–", "60", "6.16", "24.18"),
        (
            "from nothing",
            "2 of 4",
            "38 [0, 100]",
            "-38 [-100, +100]",
            "0 [0, 0]",
            "25.0 [25.0, 25.0]",
            "–",
            "60",
            "–",
            "–",
        ),
        ("paper", *"–––––––––"),
    )


def test_a_table_of_shares_has_a_column_for_them(results: Results) -> None:
    rows = (Row("full", (ARMS,)), Row("plain", (ARMS,)))
    found = grid(Table("t", rows, relative=True), results, [0])
    assert found.headings[-1] == "relative %"
    assert [row[-1] for row in found.rows] == ["–", "50"]
    assert [row[1:4] for row in found.rows] == [("1", "100", "–"), ("1", "50", "-50")]


def test_success_of_each_sentence_and_seed(results: Results) -> None:
    found = by_sentence(TABLE, results, [0, 1])
    assert found is not None
    assert found.headings == ("success %, a figure a seed", ARMS.text, WALK.text)
    assert found.rows == (("full", "100, 100", "50"), ("from nothing", "50", "25"), ("paper", "–", "–"))


def test_many_sentences_are_not_shown_one_by_one(results: Results) -> None:
    many = tuple(replace(ARMS, text=f"raise {number} arms") for number in range(6))
    shown = {}
    for count in (1, 2, 5, 6):
        tables = [Table("t", (Row("full", many[:count]),))]
        text = document(tables, results, [0], SETTINGS, left_out={}, command="anyskill ablate")
        shown[count] = "a figure a seed" in text
    assert shown == {1: False, 2: True, 5: True, 6: False}


def test_the_document_says_what_stood_behind_it(results: Results) -> None:
    text = document(
        [TABLE], results, [0, 1], SETTINGS, left_out={"video": "x/y cannot be fetched."}, command="anyskill ablate"
    )
    lines = text.splitlines()
    assert lines[lines.index("### Table 9: how") + 2].startswith("| variant | runs | success % |")
    assert "| full | 3 of 4 | 75 [0, 100] |" in text
    for said in (
        *("`anyskill ablate`: seeds 0, 1, 8 episodes", "at most 1 minutes", "on cpu; controller: built in", HOW),
        *("(100·cos) is `bodyclip`", "no model: none was given", "A note.", "Not run: `video`: x/y cannot be fetched."),
    ):
        assert said in text
    heads = [number for number, line in enumerate(lines) if line.startswith("| ---")]
    assert [lines[number].count("|") for number in heads] == [11, 4]
    for number in heads:
        below = lines[number + 1 : number + 1 + len(TABLE.rows)]
        assert {line.count("|") for line in (lines[number - 1], *below)} == {lines[number].count("|")}


def test_a_section_replaces_what_was_between_the_markers(tmp_path: Path) -> None:
    page = tmp_path / "results.md"
    page.write_text(f"# Results\n\n{BEGIN}\nold\n{END}\n\n## More\n")
    insert(page, "new – line\n")
    assert page.read_text() == f"# Results\n\n{BEGIN}\n\nnew – line\n\n{END}\n\n## More\n"
    insert(page, "newer\n")
    assert page.read_text() == f"# Results\n\n{BEGIN}\n\nnewer\n\n{END}\n\n## More\n"


def test_a_page_without_markers_gets_them_at_its_end(tmp_path: Path) -> None:
    page = tmp_path / "results.md"
    page.write_text("# Results\n")
    insert(page, "new\n")
    assert page.read_text() == f"# Results\n\n{BEGIN}\n\nnew\n\n{END}\n"


@pytest.mark.parametrize("text", [BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}\n{END}\n{END}", f"{BEGIN}\n{BEGIN}\n{END}"])
def test_torn_markers_are_refused_and_the_page_stays(tmp_path: Path, text: str) -> None:
    page = tmp_path / "results.md"
    page.write_text(text)
    with pytest.raises(EvaluationError, match="must have one line <!-- ablations --> and below it one line"):
        insert(page, "new\n")
    assert page.read_text() == text


def test_a_page_that_is_not_there_is_told(tmp_path: Path) -> None:
    for page in (tmp_path / "no.md", tmp_path):
        with pytest.raises(EvaluationError, match="cannot be read; --docs names a Markdown page that exists"):
            insert(page, "new\n")
