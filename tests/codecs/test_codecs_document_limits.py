"""What one interchange may make: so many messages, so many findings, and none becomes valid by the limit."""

from tidewaiter.codecs.document import MAX_FINDINGS_IN_ALL, MAX_MESSAGES, Reader
from tidewaiter.codecs.finding import Severity
from tidewaiter.gateway import resources

READER: Reader = resources.reader()
# A message with nothing in it: several findings in twenty octets.
EMPTY = b"UNH+%d+CUSDEC:D:96B:UN'UNT+2+%d'"


def _interchange(count: int) -> bytes:
    messages = b"".join(EMPTY % (number, number) for number in range(1, count + 1))
    return b"UNB+UNOC:3+A:ZZZ+B:ZZZ+261119:0915+R'%sUNZ+%d+R'" % (messages, count)


def test_as_many_messages_as_may_be() -> None:
    reading = READER.read(_interchange(MAX_MESSAGES))
    assert len(reading.documents) == MAX_MESSAGES
    assert not any(document.valid for document in reading.documents)
    assert len(reading.documents[0].findings) > 1
    assert len(reading.documents[-1].findings) == 1
    assert reading.documents[-1].findings[0].severity is Severity.ERROR
    assert len(reading.all_findings) <= MAX_FINDINGS_IN_ALL + MAX_MESSAGES


def test_one_more_is_refused_as_a_whole() -> None:
    reading = READER.read(_interchange(MAX_MESSAGES + 1))
    assert reading.documents == ()
    assert [f.code for f in reading.findings] == ["18"]
    assert reading.interchange is not None
