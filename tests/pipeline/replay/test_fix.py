"""A user's function mends rejects; where it is wrong, file and line are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import rejects
from pipeline.refused import Refused
from pipeline.replay.contents import batch_of
from pipeline.replay.elements import Left, Replayed, SetAside
from pipeline.replay.fix import FileFix, FixError
from pipeline.replay.recover import BEFORE
from tests.pipeline.bodies import NOW, message, summary
from tests.pipeline.replay.test_recover import MIXED, Store, look, of_row, set_aside

FIX = """
def transform(message):
    rows = message.rows
    keep = rows.slice(0, 1)
    return message.with_rows(keep).with_attributes(gateway_id="mended")
"""


def mended(tmp_path: Path, source: str, reject: SetAside) -> list[SetAside]:
    path = tmp_path / "fix.py"
    path.write_text(source)
    return list(FileFix(str(path))(reject))


def undecodable() -> SetAside:
    [row] = rejects.of_message(Refused(message([summary("d1"), summary("d2")], gateway_id="?"), "bad_envelope", "no"), NOW).rows.to_pylist()
    return of_row(row)


def test_a_message_is_packed_anew_with_attributes_that_fit(tmp_path: Path) -> None:
    [fixed] = mended(tmp_path, FIX, undecodable())
    batch = batch_of(fixed)
    assert (batch.envelope.gateway_id, batch.envelope.row_count, batch.rows.column("device_id").to_pylist()) == ("mended", 1, ["d1"])


def test_rows_keep_their_numbers(tmp_path: Path) -> None:
    [reject] = set_aside(0, MIXED)
    [fixed] = mended(tmp_path, "def transform(message):\n    return [message.with_rows(message.rows.slice(1))]", reject)
    assert batch_of(fixed).rows.column("row").to_pylist() == batch_of(reject).rows.column("row").to_pylist()[1:]


def test_what_a_fix_leaves_out_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "fix.py").write_text("def transform(message):\n    return None")
    [left] = look(Store(*set_aside(0, MIXED)), fix=FileFix(str(tmp_path / "fix.py")))
    assert left == Left(left.reject_id, "left out by the fix")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = 1\ny = 1 / 0\n", "fix.py, line 2: ZeroDivisionError"),
        ("def transform(message:\n", "fix.py, line 1: SyntaxError"),
        ("x = 1\n", "fix.py has no function transform(message)"),
        ("def transform(message):\n    return message.attributes['none']\n", "fix.py, line 2: KeyError: 'none' (reject "),
        ("def transform(message):\n    return 3\n", "fix.py: TypeError: transform must return a message, a list of messages, or None"),
        ("def transform(message):\n    return [message, 3]\n", "TypeError: transform must return"),
    ],
)
def test_a_fix_that_fails_is_named_by_file_and_line(tmp_path: Path, source: str, words: str) -> None:
    with pytest.raises(FixError) as error:
        mended(tmp_path, source, undecodable())
    assert words in str(error.value)


def test_a_reject_that_was_replayed_whole_is_not_looked_at_again() -> None:
    [reject] = set_aside(0, MIXED)
    store = Store(reject)
    [first] = look(store)
    assert isinstance(first, Replayed)
    assert first.rows_in == 2
    store.known = {("gw0:7:1", 1), ("gw0:7:1", 4)}
    [unmarked] = look(store)
    assert isinstance(unmarked, Replayed)
    assert (unmarked.new, unmarked.again.rows.num_rows if unmarked.again else 0) == (None, 2)
    store.rejects = (SetAside(**{name: getattr(reject, name) for name in SetAside.__slots__ if name != "rows_in"}, rows_in=2),)
    assert look(store) == [Left(reject.reject_id, BEFORE)]
