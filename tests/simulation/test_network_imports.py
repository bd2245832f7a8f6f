"""Imports that come in while the peers are comparing: nothing is left over to be found minutes later."""

import pytest

from simulated import formed, look_at_all


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("pause", [0.05, 0.3])
def test_a_feed_that_comes_in_pieces_has_arrived_when_its_last_piece_has(seed: int, pause: float) -> None:
    """Records that overtake the promise of them are part of it, and whoever gave some compares again at once."""
    society = formed(seed, 2)
    for _ in range(5):
        society.publish(society.nodes[1], 100)
        society.world.run(pause)
    began = society.world.time
    society.must_agree(10)
    assert society.world.time - began < 10
    # The giver's promises are all kept: neither side waits for records that have come.
    for node in society.nodes:
        assert not any(each.syncing.expect for each in node.machine.state.links.values())  # type: ignore[attr-defined]
    look_at_all(society)
