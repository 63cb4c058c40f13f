"""Tables: in which order runs are made, and what is read off the results so far."""

from pathlib import Path

import pytest

from anyskill.evaluate.ablations import Results
from anyskill.evaluate.comparisons import TABLES, table
from anyskill.evaluate.estimates import Estimate, estimate
from anyskill.evaluate.tables import Row, Table, figures, in_order
from anyskill.evaluate.variants import RANDOM, VARIANTS
from tests.evaluate.made_up_runs import SENTENCES, result

ARMS, WALK, BOW = SENTENCES
TABLE = Table("both", (Row("full", SENTENCES), Row("plain", (ARMS, WALK), "from nothing")))


def test_all_variants_of_a_sentence_come_before_the_next_sentence_and_all_sentences_before_the_next_seed() -> None:
    other = Table("other", (Row("plain", (WALK, BOW)), Row("full", (ARMS,))))
    keys = [case.key[:3] for case in in_order([TABLE, other], [4, 7])]
    first = [
        *(("full", "raise both arms"), ("plain", "raise both arms")),
        *(("full", "walk forward"), ("plain", "walk forward")),
        *(("full", "bow"), ("plain", "bow")),
    ]
    assert keys == [(*pair, seed) for seed in (4, 7) for pair in first]


def test_figures_of_rows(tmp_path: Path) -> None:
    results = Results(tmp_path)
    full = {(ARMS, 0): 1.0, (ARMS, 1): 0.5, (WALK, 0): 0.25, (BOW, 0): 0.75}
    for (sentence, seed), success in full.items():
        results.add(result("full", sentence, seed, success, 30.0, 0.0, 100.0, heldout=25.0 + seed))
    for sentence, success, seconds in ((ARMS, 0.25, 50.0), (WALK, 0.0, 70.0)):
        results.add(result("plain", sentence, 0, success, 20.0, 1.0, seconds))
    results.add(result("plain", WALK, 9, 1.0, 20.0, 1.0, 1e6))  # of a seed that nobody asks for

    first, second = (figures(TABLE, row, results, [0, 1]) for row in TABLE.rows)
    assert first is not None
    assert (first.runs, first.wanted) == (4, 6)
    assert first.success == estimate({"arms": [1.0, 0.5], "walk": [0.25], "bow": [0.75]}, (0.0, 1.0))
    assert first.clip_s_heldout == estimate({"arms": [25.0, 26.0], "walk": [25.0], "bow": [25.0]})
    assert (first.difference, first.relative) == (None, None)

    assert second is not None
    assert (second.runs, second.wanted, second.seconds) == (2, 4, 60.0)
    assert second.success.mean == 0.125
    assert (second.fall.low, second.fall.mean, second.fall.high) == (1.0, 1.0, 1.0)
    assert second.clip_s_heldout is None
    # Only seed 0 is paired: 0.25 − 1 for the arms, not 0.25 − (1 + 0.5)/2.
    assert second.difference == estimate({"arms": [-0.75], "walk": [-0.25]}, (-1.0, 1.0))
    assert second.relative is not None
    assert second.relative.mean == pytest.approx(0.25 / (0.75 + 0.25))


def test_intervals_end_where_figures_can(tmp_path: Path) -> None:
    results = Results(tmp_path)
    for sentence, success, clip_s in ((ARMS, 0.0, -10.0), (WALK, 1.0, 70.0)):
        results.add(result("full", sentence, 0, success, clip_s, heldout=clip_s))
    row = Row("full", (ARMS, WALK))
    found = figures(Table("two", (row,)), row, results, [0])
    assert found is not None
    assert found.success == Estimate(0.5, 0.0, 1.0)
    assert found.clip_s == found.clip_s_heldout == Estimate(30.0, -100.0, 100.0)


def test_a_row_without_results_has_no_figures(tmp_path: Path) -> None:
    assert figures(TABLE, TABLE.rows[0], Results(tmp_path), [0]) is None
    results = Results(tmp_path)
    results.add(result("plain", ARMS, 0, 0.5, 20.0, 0.0, 1.0))
    alone = figures(TABLE, TABLE.rows[1], results, [0])
    assert alone is not None
    assert alone.success == Estimate(0.5)
    assert alone.difference is None


def test_all_tables_are_made_of_known_variants_and_begin_with_what_others_are_compared_to() -> None:
    tables = {name: table(name, SENTENCES) for name in TABLES}
    known = {*VARIANTS, RANDOM, "text-conditioned"}
    used = {row.variant for one in tables.values() for row in one.rows}
    assert used == known
    assert {name: one.rows[0].variant for name, one in tables.items()} == {
        "1": "full",
        "3": "full",
        "ours": "search+ppo",
        "text": "search+ppo",
    }
    for one in tables.values():
        assert len({row.name for row in one.rows}) == len(one.rows)


def test_the_papers_figures_stand_beside_ours() -> None:
    printed = {row.variant: row.paper for name in ("1", "3") for row in table(name, SENTENCES).rows}
    assert printed == {
        "full": (6.16, 24.18),
        "no-early-termination": (5.05, 21.89),
        "no-enhancement": (3.06, 20.76),
        "video": (2.37, 21.35),
        "vlm-rm": (3.15, 19.46),
        "clip-s": (3.80, 19.78),
        "avgpool": (5.09, 20.25),
        "+velocity": (2.73, 18.39),
    }
