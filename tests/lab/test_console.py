import io

from lab.console import Console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_line_begins_with_the_seconds_since_the_start() -> None:
    out, clock = io.StringIO(), Clock()
    console = Console(out, clock)
    clock.now = 12.34
    console.log("ready")
    assert out.getvalue() == "  12.3 s  ready\n"


def test_on_a_terminal_a_status_is_replaced_by_what_follows() -> None:
    out = Terminal()
    console = Console(out, Clock())
    console.status("one")
    console.status("two")
    console.log("done")
    assert out.getvalue() == "   0.0 s  one\r\x1b[K   0.0 s  two\r\x1b[K   0.0 s  done\n"


def test_elsewhere_a_status_is_a_line_now_and_then() -> None:
    out, clock = io.StringIO(), Clock()
    console = Console(out, clock)
    for second in range(12):
        clock.now = float(second)
        console.status(str(second))
    assert [line.split()[-1] for line in out.getvalue().splitlines()] == ["0", "5", "10"]
