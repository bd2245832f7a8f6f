"""How the interpreter looks after memory in a process that runs for long."""

import gc


def settle_memory() -> None:
    """Call once everything is loaded: what lives for ever need not be looked through again and again.

    A garbage collection walks every object there is. After start-up most of them stay, so they are set aside, and the
    young ones are looked at less often. Checking a listing costs a fifth of a signature less for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
