"""A third of a node's address book is an attacker's: after half an hour most of its links are still honest.

200 honest nodes of which a fifth is off and whose links last an hour; 100 of the attacker's, each in a neighbourhood of
its own, always on, never hanging up. Seeds replay; the same run over 200 seeds is in docs/protocol/peers.md.
"""

import random

import pytest

from finding_worlds import DAY, World, address_in, announced, finding_of, moment, node_of, place_in

HONEST = range(200)
BAD = range(1_000, 1_100)


def honest_links(seed: int, sources: int, *, established: bool, reached: bool) -> tuple[int, int]:
    """Honest links and all links of a node after 30 minutes.

    ``sources``: in how many neighbourhoods the attacker tells of his nodes. ``established``: the node has known the
    honest ones for three days and reached half of them. ``reached``: it has reached the attacker's, too.
    """
    rng = random.Random(seed)
    finding = finding_of(seed)
    book = finding.book
    answers = {address_in(number): node_of(number) for number in HONEST if rng.random() < 0.8}
    began = moment(-3 * DAY if established else -60)
    for number in HONEST:
        book.learn(*announced(number, address_in(number), issued=began.timestamp), place_in(rng.choice(HONEST)), began)
        if established and number < 100:
            book.tried(node_of(number), True, began)
    if established:
        book.set_anchors([node_of(number) for number in range(100) if address_in(number) in answers])
    for number in BAD:
        answers[address_in(number)] = node_of(number)
        told = announced(number, address_in(number))
        book.learn(*told, place_in(2_000 + rng.randrange(sources)), moment(-30))
        if reached:
            book.tried(node_of(number), True, moment(-30))
    bad = {node_of(number) for number in BAD}
    assert sum(entry.node in bad for entry in book) >= 0.25 * len(book)
    world = World(finding, answers, seed=seed, restless={node_of(number): 3_600.0 for number in HONEST})
    world.run(30 * 60)
    links = world.outbound()
    return sum(peer not in bad for peer in links), len(links)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    ("sources", "established", "reached"),
    [(1, True, False), (1, False, False), (50, True, False), (50, True, True)],
    ids=["one source", "one source, fresh node", "fifty sources", "fifty sources, all reached before"],
)
def test_a_poisoned_address_book(seed: int, sources: int, established: bool, reached: bool) -> None:
    honest, links = honest_links(seed, sources, established=established, reached=reached)
    assert links >= 7
    assert honest >= 4
    if sources == 1 and not reached:
        assert links - honest <= 2


@pytest.mark.parametrize("seed", range(6))
def test_an_attacker_in_one_neighbourhood_gets_one_link(seed: int) -> None:
    finding = finding_of(seed)
    answers = {}
    for number in range(20):
        finding.book.learn(*announced(number, address_in(number)), place_in(number), moment())
        answers[address_in(number)] = node_of(number)
    for number in range(1_000, 1_400):
        address = address_in(300, number)
        finding.book.learn(*announced(number, address), place_in(300 + number % 40), moment())
        answers[address] = node_of(number)
    world = World(finding, answers, seed=seed)
    world.run(600)
    bad = {node_of(number) for number in range(1_000, 1_400)}
    assert sum(peer in bad for peer in world.outbound()) <= 1
    assert len(world.outbound()) == 8
