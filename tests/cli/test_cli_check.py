"""`validate` of interchanges: several in a file, many messages in one, types beside CUSDEC, and a profile."""

import io
import json
import pathlib
import sys
from collections.abc import Callable, Iterator

import pytest
from typer.testing import Result

from tidewaiter.codecs.document import MAX_FINDINGS_IN_ALL, Reader
from tidewaiter.gateway.cli import files
from tidewaiter.gateway.cli.check import MAX_LISTED, MAX_NAMES, check, outcome_of
from tidewaiter.gateway.cli.outcome import Outcome

RunCli = Callable[..., Result]
VALID, INVALID, UNREADABLE = 0, 1, 2


def interchange(*messages: bytes, reference: str = "R1", syntax: str = "UNOC:3") -> bytes:
    """`messages` are what stands between UNH and UNT, with the type first: `APERAK:D:96B:UN'BGM+...'`."""
    body = b""
    for number, message in enumerate(messages, 1):
        kind, _, rest = message.partition(b"'")
        count = rest.count(b"'") + 2
        body += b"UNH+%d+%b'%bUNT+%d+%d'" % (number, kind, rest, count, number)
    head = f"UNB+{syntax}+TRADER+CUSTOMS+260312:0914+{reference}'".encode()
    return head + body + f"UNZ+{len(messages)}+{reference}'".encode()


GOOD = b"APERAK:D:96B:UN'BGM+963+1+9'"
BAD = b"APERAK:D:96B:UN'BGM+963+1+9'XYZ+1'"
NO_DIRECTORY = b"ORDERS:D:96A:UN'BGM+220+1+9'"


def validated(cli: RunCli, data: bytes, *options: str) -> tuple[int, list[str]]:
    done = cli("validate", "-", *options, given=data)
    assert done.stderr == ""
    return done.exit_code, done.stdout.splitlines()


def test_each_interchange_of_a_file_is_named(cli: RunCli) -> None:
    data = interchange(GOOD, GOOD) + b"\r\nUNA:+.? '" + interchange(GOOD, BAD, reference="R2")
    code, lines = validated(cli, data)
    where = f"at message 2, XYZ[3] @{data.index(b'XYZ')}"
    assert code == INVALID
    assert lines == [
        "-: invalid (2 interchanges)",
        "  interchange R1 from TRADER to CUSTOMS, UNOC:3: valid (2 APERAK:D:96B:UN)",
        "  interchange R2 from TRADER to CUSTOMS, UNOC:3: invalid (2 APERAK:D:96B:UN, 1 invalid)",
        f"    error 15, {where}: the message has no such segment; found 'XYZ'",
    ]


def test_json_tells_the_interchanges_and_keeps_its_form(cli: RunCli) -> None:
    data = interchange(GOOD) + interchange(BAD, GOOD, reference="R2")
    done = cli("validate", "-", "--json", given=data)
    assert done.exit_code == INVALID
    (row,) = json.loads(done.stdout)
    assert (row["file"], row["result"], row["more"]) == ("-", "invalid", 0)
    assert row["documents"] == ["APERAK:D:96B:UN"] * 3
    (finding,) = row["findings"]
    assert finding["pointer"]["interchange"] == "R2"
    assert finding["pointer"]["position"] == 1
    end = len(interchange(GOOD))
    first, second = row["interchanges"]
    assert first == {
        "reference": "R1",
        "sender": "TRADER",
        "recipient": "CUSTOMS",
        "syntax": "UNOC:3",
        "offset": 0,
        "end": end,
        "result": "valid",
        "messages": 1,
        "invalid": 0,
        "packages": 0,
    }
    assert (second["offset"], second["end"], second["invalid"]) == (end, len(data), 1)


@pytest.mark.parametrize(
    "message",
    [
        b"PAXLST:D:01B:UN'BGM+745'TDT+20+Z1'DTM+189:2603121200:201'LOC+125+AMS'",
        b"CUSCAR:D:96B:UN'BGM+85+X+9'",
        b"CUSREP:D:96B:UN'BGM+85+X+9'TDT+20'",
        b"CONTRL:D:3:UN'UCI+R0+CUSTOMS+TRADER+8'",
    ],
)
def test_every_message_that_a_directory_has_is_checked(cli: RunCli, message: bytes) -> None:
    name = message.split(b"'")[0].decode()
    assert validated(cli, interchange(message)) == (VALID, [f"-: valid ({name})"])
    code, lines = validated(cli, interchange(message + b"XYZ'"))
    assert (code, lines[0]) == (INVALID, f"-: invalid ({name})")
    assert lines[1].startswith("  error 15, at XYZ[")


def test_a_finding_in_a_group_says_which(cli: RunCli) -> None:
    code, (_, line) = validated(cli, interchange(b"APERAK:D:96B:UN'BGM+963+1+9'ERC+12:::::::1'"))
    assert code == INVALID
    assert ", in SG3[1]: " in line


@pytest.mark.parametrize(
    ("messages", "code", "kinds"),
    [
        ([GOOD], VALID, "valid (APERAK:D:96B:UN)"),
        ([NO_DIRECTORY], UNREADABLE, "not checked (ORDERS:D:96A:UN)"),
        ([NO_DIRECTORY, GOOD], INVALID, "invalid (ORDERS:D:96A:UN, APERAK:D:96B:UN, 1 invalid)"),
    ],
)
def test_the_code_says_if_anything_could_be_read(
    cli: RunCli, messages: list[bytes], code: int, kinds: str
) -> None:
    got, lines = validated(cli, interchange(*messages))
    assert (got, lines[0]) == (code, f"-: {kinds}")


def test_of_several_interchanges_one_that_can_be_read_is_enough(cli: RunCli) -> None:
    good, bad = interchange(GOOD), interchange(NO_DIRECTORY)
    assert validated(cli, good + bad)[0] == INVALID
    assert validated(cli, bad + bad)[0] == UNREADABLE
    assert validated(cli, good + good)[0] == VALID


def test_what_follows_the_last_interchange_is_told_with_it(cli: RunCli) -> None:
    code, lines = validated(cli, interchange(GOOD) + b"and more")
    assert (code, lines[0]) == (INVALID, "-: invalid (APERAK:D:96B:UN)")
    assert lines[1].startswith("  error 33, at UNZ @")


def test_an_interchange_without_messages_has_a_reason(cli: RunCli) -> None:
    code, lines = validated(cli, interchange())
    assert code == UNREADABLE
    assert lines[0] == "-: unreadable (nothing that can be read)"
    assert lines[1].startswith("  error 32, at UNZ")


def test_a_package_is_enough(cli: RunCli) -> None:
    data = b"UNB+UNOC:4+A+B+20260312:0914+R1'UNO+P1+AAA:1+1+5'12345UNP+5+P1'UNZ+1+R1'"
    _, lines = validated(cli, data)
    assert lines[0].endswith("(1 package)")


def test_more_messages_than_the_gateway_takes_are_counted(reader: Reader) -> None:
    data = interchange(*[GOOD] * 3, *[BAD] * MAX_FINDINGS_IN_ALL, *[NO_DIRECTORY] * 40)
    (checked,) = check([data], reader)
    assert checked.outcome is Outcome.INVALID
    assert checked.messages == MAX_FINDINGS_IN_ALL + 43
    assert len(checked.findings) == MAX_FINDINGS_IN_ALL
    assert checked.more == 40
    assert len(checked.documents) == MAX_LISTED
    assert checked.kinds == "1,003 APERAK:D:96B:UN, 40 ORDERS:D:96A:UN, 1,040 invalid"


def test_how_many_findings_are_not_shown_is_said(cli: RunCli) -> None:
    _, lines = validated(cli, interchange(*[BAD] * (MAX_FINDINGS_IN_ALL + 1234)))
    assert len(lines) == MAX_FINDINGS_IN_ALL + 2
    assert lines[-1] == "  and 1,234 more findings"


def test_findings_of_all_interchanges_are_bounded_and_each_tells_one(reader: Reader) -> None:
    data = b"".join(interchange(*[BAD] * 400, reference=f"R{n}") for n in range(5))
    checked = check([data], reader)
    assert [len(each.findings) for each in checked] == [400, 400, 200, 1, 1]
    assert outcome_of(checked) is Outcome.INVALID


def test_names_that_are_all_different_are_counted_together(reader: Reader) -> None:
    (checked,) = check([interchange(*[b"X%05d:D:96B:UN'BGM'" % n for n in range(MAX_NAMES + 7)])], reader)
    assert checked.outcome is Outcome.UNREADABLE
    assert checked.kinds.endswith(f", 7 of other types, {MAX_NAMES + 7} invalid")


def test_messages_are_taken_as_they_come(reader: Reader) -> None:
    """The next octets are not asked for before what came is checked."""
    data = interchange(*[GOOD] * 50)
    asked = 0

    def pieces() -> Iterator[bytes]:
        nonlocal asked
        for at in range(0, len(data), 100):
            asked += 1
            yield data[at : at + 100]

    seen: list[int] = []
    whole = reader.document

    class Watching(Reader):
        def document(self, *arguments: object) -> object:  # type: ignore[override]
            seen.append(asked)
            return whole(*arguments)  # type: ignore[arg-type]

    watching = Watching(reader._directory, reader._schemas)
    assert outcome_of(check(pieces(), watching)) is Outcome.VALID
    assert seen == sorted(seen)
    assert len(set(seen)) > 20


class Slow:
    """Standard input that gives an octet at a time."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)
        self.buffer.read1 = lambda _: self.buffer.read(1)  # type: ignore[method-assign]


@pytest.mark.parametrize("name", ["import.edi", "export.xml"])
def test_a_slow_pipe_is_read_to_its_end(
    samples: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Slow((samples / name).read_bytes()))
    assert files.validate(["-"], as_json=False) == VALID
    assert capsys.readouterr().out.startswith("-: valid")


def test_utf8_is_read_where_the_partner_may_send_it(cli: RunCli) -> None:
    data = interchange("APERAK:D:96B:UN'BGM+963+1+9'FTX+AAO+++Ørsted Źródła'".encode())
    code, (_, line) = validated(cli, data)
    assert code == INVALID
    assert line.startswith("  error 46, at FTX[3]")
    code, (first, line) = validated(cli, data, "--utf8")
    assert (code, first) == (VALID, "-: valid (APERAK:D:96B:UN)")
    assert line.startswith("  warning 46, at FTX[3]")
