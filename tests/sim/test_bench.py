from anyskill.bench import run_cases
from anyskill.sim.bench import cases


def test_cases_count_physics_steps_and_have_a_reference_on_the_cpu():
    for case in cases(quick=True):
        assert case.run() == 3 * 4 * int(case.name.split(", ")[1].split()[0])
        if "CPU" in case.name:
            assert case.reference is not None
            assert case.reference() == case.run()
            (result,) = run_cases([case], seconds=1.0)
            assert result.ratio is not None
            assert 0.1 < result.ratio < 1.5
