"""Runs of ablations: none is done twice, none is lost, and what cannot be done here is left out with its reason."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from anyskill.evaluate.ablations import Case, Results, folder_of, open_folder, run
from anyskill.evaluate.errors import EvaluationError
from anyskill.vision_language.model import VisionLanguageError
from tests.evaluate.made_up_runs import SENTENCES, SETTINGS, Learner, measure, result

CASES = [Case(variant, SENTENCES[0], seed) for seed in (0, 1) for variant in ("full", "plain")]


def test_every_case_is_learnt_once_in_order_and_in_its_own_folder(tmp_path: Path) -> None:
    learner, begun, done = Learner(), [], []
    recipes = {"full": learner, "plain": learner}
    assert run(CASES, recipes, measure, Results(tmp_path), begun.append, done.append) == {}
    assert learner.asked == [case.key for case in CASES]
    assert begun == done == CASES
    assert len(set(learner.folders)) == 4
    assert learner.folders[1] == tmp_path / "seed-0" / "raise-both-arms" / "plain"
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert lines[3] == {
        "variant": "plain",
        "text": "raise both arms",
        "seed": 1,
        "test": '{"hold": 0.0, "test": "standing"}',
        "success": 0.26,
        "clip_s": 35.0,
        "fall": 0.125,
        "seconds": 10.0,
        "clip_s_heldout": None,
    }


def test_it_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    class Stopped(Learner):
        def __call__(self, case: Case, folder: Path):
            if len(self.asked) == 2:
                raise KeyboardInterrupt
            return super().__call__(case, folder)

    first = Stopped()
    with pytest.raises(KeyboardInterrupt):
        run(CASES, {"full": first, "plain": first}, measure, open_folder(tmp_path, SETTINGS))
    with (tmp_path / "results.jsonl").open("a") as file:
        file.write('{"variant": "full", "te')  # killed in the middle of a line
    second = Learner()
    results = open_folder(tmp_path, SETTINGS)
    run(CASES, {"full": second, "plain": second}, measure, results)
    assert first.asked + second.asked == [case.key for case in CASES]
    assert all(case in Results(tmp_path) for case in CASES)
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 4
    last = result("plain", SENTENCES[0], 1, success=0.26, clip_s=35.0, fall=0.125, seconds=10.0)
    assert Results(tmp_path)[CASES[3]] == results[CASES[3]] == last


def test_what_cannot_be_learnt_here_is_left_out_with_its_reason(tmp_path: Path) -> None:
    tried = []

    def no_model(case: Case, folder: Path):
        tried.append(case)
        raise VisionLanguageError("x/y cannot be fetched.")

    learner, results = Learner(), Results(tmp_path)
    assert run(CASES, {"full": no_model, "plain": learner}, measure, results) == {"full": "x/y cannot be fetched."}
    assert len(tried) == 1
    assert [case in results for case in CASES] == [False, True, False, True]
    assert run(CASES, {"full": learner, "plain": learner}, measure, results) == {}  # the model is there now
    assert all(case in results for case in CASES)


def test_a_sentence_with_another_test_is_evaluated_again(tmp_path: Path) -> None:
    learner, stricter = Learner(), replace(SENTENCES[0], hold=1.0)
    cases = [Case("full", sentence, 0) for sentence in (SENTENCES[0], stricter)]
    run(cases, {"full": learner}, measure, Results(tmp_path))
    assert learner.folders[0] == learner.folders[1]  # what was learnt there is taken as it is
    assert [case in Results(tmp_path) for case in cases] == [True, True]


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.path.symlink_to("/dev/full")
    with pytest.raises(EvaluationError, match=r"results\.jsonl cannot be written \(No space left on device\)"):
        results.add(result("full", SENTENCES[0], 0, 1.0))


def test_a_folder_keeps_its_settings(tmp_path: Path) -> None:
    open_folder(tmp_path, SETTINGS)
    with pytest.raises(EvaluationError, match="was begun with episodes 8, and this is 64; give the same or another"):
        open_folder(tmp_path, replace(SETTINGS, episodes=64))
    assert open_folder(tmp_path, SETTINGS).path == tmp_path / "results.jsonl"


@pytest.mark.parametrize("line", ['{"variant": "full"}', "[1, 2]", '{"variant": 3, "text": "a"}'])
def test_a_line_that_is_no_result_is_named(tmp_path: Path, line: str) -> None:
    Results(tmp_path).add(result("full", SENTENCES[0], 0, 1.0))
    with (tmp_path / "results.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(EvaluationError, match=r"results\.jsonl, line 2 is no result"):
        Results(tmp_path)


def test_folders_are_told_apart_by_seed_sentence_and_variant(tmp_path: Path) -> None:
    cases = [Case(v, s, seed) for v in ("full", "+velocity") for s in SENTENCES for seed in (0, 1)]
    assert len({folder_of(tmp_path, case) for case in cases}) == len(cases)
