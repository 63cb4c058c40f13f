"""``anyskill bench controller``."""

from anyskill.bench import run_cases
from anyskill.controller.acting_bench import cases


def test_loading_and_acting_are_timed_beside_the_bare_network() -> None:
    load, act = run_cases(cases(quick=True), seconds=0.1)
    assert (load.case, load.unit) == ("load the controller", "s")
    assert 0.0 < load.value < 10.0
    assert (act.case, act.unit) == ("act in 64 worlds", "ms")
    assert act.reference is not None and 0.0 < act.reference < act.value
