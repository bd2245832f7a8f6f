"""A network in one process: real protocol objects, a clock that is a number, and every fault on demand, from a seed."""
