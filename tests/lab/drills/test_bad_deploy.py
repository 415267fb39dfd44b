"""The drill of a bad release puts its fault where the pipeline decodes: else it would play half a day in which nothing is wrong."""

from __future__ import annotations

import pytest

from lab.drills.bad_deploy import BAD_FROM, bad_release
from pipeline.decode import decode
from tests.pipeline.bodies import NOW, message, summary


def test_nothing_is_understood_while_the_release_is_bad_and_all_before_and_after() -> None:
    times = [BAD_FROM, NOW.replace(year=2000)]
    sent = message([summary()], NOW)
    with bad_release(lambda: times[0]):
        with pytest.raises(RuntimeError, match="a release with a fault"):
            decode(sent)
        times.pop(0)
        assert decode(sent).rows.num_rows == 1
    times.insert(0, BAD_FROM)
    assert decode(sent).rows.num_rows == 1
