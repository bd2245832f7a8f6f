"""The progress bar shows on a terminal and nowhere else."""

import io

from hedgerow_node.cli.progress import ProgressBar


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_nothing_is_drawn_into_a_file() -> None:
    stream = io.StringIO()
    bar = ProgressBar(stream)
    bar("Storing", 1, 2)
    bar.close()
    assert stream.getvalue() == ""


def test_it_is_redrawn_at_most_ten_times_a_second_and_removed() -> None:
    stream, time = Terminal(), [0.0]
    bar = ProgressBar(stream, lambda: time[0])
    for done in range(1000):
        time[0] += 0.001
        bar("Storing", done, 1000)
    bar("Storing", 1000, 1000)
    drawn = stream.getvalue().split("\r")
    assert 10 <= len(drawn) <= 14
    assert "1,000 of 1,000" in drawn[-1]
    bar.close()
    assert stream.getvalue().endswith("\r\x1b[K")
