"""Values with an attribute beside their text."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from tidewaiter.codecs.declaration import DateTime


@pytest.mark.parametrize(
    ("text", "code", "moment"),
    [
        ("20261122", "102", date(2026, 11, 22)),
        ("202611220830", "203", datetime(2026, 11, 22, 8, 30)),
        ("20261122083015", "204", datetime(2026, 11, 22, 8, 30, 15)),
        ("20261122083015Z", "304", datetime(2026, 11, 22, 8, 30, 15, tzinfo=UTC)),
        ("20261122083015+01", "304", datetime(2026, 11, 22, 8, 30, 15, tzinfo=timezone(timedelta(hours=1)))),
        (
            "20261122083015-0330",
            "304",
            datetime(2026, 11, 22, 8, 30, 15, tzinfo=timezone(-timedelta(hours=3.5))),
        ),
        ("2026-11-22T08:30:15Z", None, datetime(2026, 11, 22, 8, 30, 15, tzinfo=UTC)),
    ],
)
def test_a_date_is_a_moment_by_its_format(text: str, code: str | None, moment: date) -> None:
    assert DateTime(text, code).parsed() == moment


@pytest.mark.parametrize(
    ("text", "code"), [("20261322", "102"), ("2026", "102"), ("20261122", "999"), ("now", None), ("", "204")]
)
def test_what_does_not_follow_its_format_is_no_moment(text: str, code: str | None) -> None:
    assert DateTime(text, code).parsed() is None
