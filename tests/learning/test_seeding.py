import torch

from anyskill.learning.seeding import Streams


def numbers(streams: Streams, name: str) -> list[float]:
    return torch.rand(4, generator=streams(name)).tolist()


def test_a_stream_depends_on_seed_rank_and_name_alone() -> None:
    first = Streams(1)
    numbers(first, "other")
    assert numbers(first, "actions") == numbers(Streams(1), "actions")
    values = [numbers(Streams(seed, rank=rank), name) for seed in (1, 2) for rank in (0, 1) for name in ("a", "b")]
    assert len({tuple(value) for value in values}) == 8


def test_the_global_stream_is_left_alone() -> None:
    before = torch.get_rng_state()
    numbers(Streams(1), "actions")
    assert torch.equal(before, torch.get_rng_state())


def test_streams_go_on_where_they_were() -> None:
    streams = Streams(5)
    numbers(streams, "actions"), numbers(streams, "order")
    state = streams.state_dict()
    expected = {name: numbers(streams, name) for name in ("actions", "order")}

    used = Streams(5)
    numbers(used, "order"), numbers(used, "order"), numbers(used, "actions")
    used.load_state_dict(state)
    assert {name: numbers(used, name) for name in expected} == expected

    fresh = Streams(5)  # streams that do not exist yet take their state when asked for
    fresh.load_state_dict(state)
    assert fresh.state_dict().keys() == state.keys()
    assert {name: numbers(fresh, name) for name in expected} == expected
