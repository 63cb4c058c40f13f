"""The benchmark with a learner that takes no time: what is stored, that it goes on, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from anyskill.evaluate import benchmark as module
from anyskill.evaluate.benchmark import PICTURE, Result, Settings, benchmark, read_results
from anyskill.evaluate.errors import EvaluationError
from anyskill.evaluate.page import overall, write_benchmark
from anyskill.evaluate.statistics import Share
from anyskill.evaluate.suite import Sentence
from anyskill.skill.parts import Parts
from anyskill.skill.play import Playable
from tests.evaluate.made_up import BANK, BOTH, RIGHT, SENTENCES, leave_run
from tests.skill.made_up import SOURCE, Hands, Puppet, quick
from tests.vision_language.color_model import ColorModel

SETTINGS = Settings(episodes=3)


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that need not be loaded, and no pictures but where a test looks at them."""
    _hurry(monkeypatch)
    monkeypatch.setattr(module, "sheet", lambda *_, **__: None)
    monkeypatch.setattr(module.PictureScore, "__call__", lambda self, states, text: float(len(text)))


def _hurry(patch: pytest.MonkeyPatch) -> None:
    play = module.episodes_of
    patch.setattr(module, "load_model", lambda name, device: ColorModel(name))
    patch.setattr(module, "episodes_of", lambda skill, episodes, seed: play(skill, episodes, 1.0, seed))
    patch.setattr("anyskill.skill.play.STARTERS", 4)


class Learner:
    """Leaves runs at once; notes what it was asked, and fails or is stopped where told."""

    def __init__(self, stop_at: str = "", fail_at: str = "") -> None:
        self.asked: list[str] = []
        self.stop_at, self.fail_at = stop_at, fail_at

    def __call__(self, text: str, folder: Path) -> Playable:
        self.asked.append(text)
        if text == self.fail_at:
            raise RuntimeError("the power is gone")
        return leave_run(folder, text, latent=RIGHT if "right" in text else BOTH, stopped=text == self.stop_at)


def run(folder: Path, suite: list[Sentence] = SENTENCES, settings: Settings = SETTINGS, **options: str) -> list[Result]:
    learner = Learner(**options)
    results = list(benchmark(folder, suite, settings, learn=learner))
    run.asked = learner.asked
    return results


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Result]]:
    with pytest.MonkeyPatch.context() as patch:
        _hurry(patch)
        folder = tmp_path_factory.mktemp("benchmark")
        return folder, run(folder)


def test_every_sentence_has_a_line(done: tuple[Path, list[Result]]) -> None:
    folder, results = done
    lines = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    assert [line["text"] for line in lines] == ["raise both arms", "raise the right arm", "fly"]
    wanted = {"text", "success", "low", "high", "clip_s", "clip_s_heldout", "fall", "seconds"}
    assert all(wanted <= set(line) for line in lines)
    assert lines[0]["seconds"] == 33.0 and lines[0]["clip_s_heldout"] is None
    assert read_results(folder) == results


def test_what_was_learnt_and_the_baselines(done: tuple[Path, list[Result]]) -> None:
    _, (both, right, fly) = done
    assert both.success > 0 and both.group == "arms"
    # The puppet's runs have learnt the very latent that their search found best.
    assert both.best_latent == both.share and right.best_latent == right.share
    assert fly.success == 0 and fly.random == Share.of(0, 3)
    assert 0 <= both.random.success <= 1


def test_it_goes_on_where_it_was_stopped(tmp_path: Path, done: tuple[Path, list[Result]]) -> None:
    with pytest.raises(RuntimeError, match="power"):
        run(tmp_path, fail_at="raise the right arm")
    assert [result.text for result in read_results(tmp_path)] == ["raise both arms"]
    results = run(tmp_path)
    assert run.asked == ["raise the right arm", "fly"]
    assert results[1].success == done[1][1].success and results[1].random == done[1][1].random
    run(tmp_path)
    assert run.asked == []


def test_a_sentence_that_was_stopped_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stop_at="raise both arms")
    assert read_results(tmp_path) == []


def test_another_test_makes_another_result(tmp_path: Path) -> None:
    run(tmp_path, SENTENCES[2:])
    easier = [replace(SENTENCES[2], expression={"hips": {"above": 0}})]
    (result,) = run(tmp_path, easier)
    assert run.asked == ["fly"] and result.success == 1
    assert read_results(tmp_path) == [result]


def test_what_cannot_be_gone_on_with_is_explained(tmp_path: Path) -> None:
    run(tmp_path / "a", SENTENCES[2:])
    with pytest.raises(EvaluationError, match=r"other settings \(seed, episodes\); give the same ones"):
        run(tmp_path / "a", settings=replace(SETTINGS, seed=1, episodes=4))
    (tmp_path / "a" / "results.jsonl").write_text("{")
    with pytest.raises(EvaluationError, match=r"results\.jsonl cannot be read"):
        run(tmp_path / "a")
    (tmp_path / "a" / "settings.json").write_text("no")
    with pytest.raises(EvaluationError, match=r"settings\.json cannot be read"):
        run(tmp_path / "a")
    (tmp_path / "b").write_text("")
    with pytest.raises(EvaluationError, match="is a file; --out must be a folder"):
        run(tmp_path / "b")
    with pytest.raises(EvaluationError, match=r"settings\.json cannot be written \(Not a directory\); make room"):
        run(tmp_path / "b" / "c")


def test_the_page_shows_all_of_it(done: tuple[Path, list[Result]], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, results = done
    assert all((folder / name / PICTURE).exists() for name in ("raise-both-arms", "raise-the-right-arm", "fly"))
    results = [replace(results[0], text="raise both arms"), *results[1:]]
    page = write_benchmark(folder, results, SETTINGS).read_text()
    assert page.count("data:image/jpeg") == 3
    for part in (
        "<h2>arms</h2>",
        "<h2>odd</h2>",
        "Best single latent of the bank",
        "Random latents",
        "held-out model: none",
    ):
        assert part in page
    assert str(results[0].share) in page


def test_means_are_over_all_sentences_or_not_given(done: tuple[Path, list[Result]]) -> None:
    _, results = done
    means = overall(results)
    assert set(means) == {"learnt", "best_latent", "random"}
    assert means["learnt"].success == pytest.approx(sum(result.success for result in results) / 3)
    assert set(overall([*results[:2], replace(results[2], best_latent=None)])) == {"learnt", "random"}
    assert overall([]) == {}


def test_what_anyskill_learn_leaves_is_evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anyskill.skill.learn.load_parts", lambda task: Parts(Puppet(BANK), Hands(), SOURCE))
    for drawing in ("video", "sheet"):
        monkeypatch.setattr(f"anyskill.skill.learn.{drawing}", lambda *_, **__: None)
    monkeypatch.setattr("anyskill.skill.comparison.SECONDS", 1.0)
    settings = replace(SETTINGS, learning=quick(train=False))
    (result,) = benchmark(tmp_path, SENTENCES[:1], settings)
    assert result.seconds > 0 and result.best_latent is not None
    assert read_results(tmp_path) == [result]
    assert list(benchmark(tmp_path, SENTENCES[:1], settings)) == [result]
