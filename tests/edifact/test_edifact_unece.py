"""UNECE archives to tables: small ones made here, of every layout and with every fault."""

import io
import re
import tracemalloc
import zipfile
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidewaiter.codecs.edifact import Directory
from tidewaiter.codecs.edifact.unece import ArchiveError, Compiled, archive, compile_archive, message

RULE = "-" * 70
SEGMENTS = f"""2.   Segment specifications

     a plus sign (+)    for an addition

{RULE}

       BGM  BEGINNING OF MESSAGE

       Function: To begin.

010    C002 NAME OF IT                                 C    1
       1001  Name code                                 C      an..3
       1000  Name                                      C      an..35

020 *  1004 NUMBER WITH A NAME
             THAT IS WRAPPED                           M    1 an..35

{RULE}

  +    RFF  REFERENCE

010    C506 REFERENCE                                  M    5
{RULE}

  X|   QTY  QUANTITY

010    6060 QUANTITY                                   M    1 n..15
020    6411 UNIT                                       C    9 an..3
"""
COMPOSITES = f"""
{RULE}
       C002 NAME
010    1001  Name code                                 C      an..3
020 #  1000  Name
             of it                                     C      an..35
{RULE}
       C506 REFERENCE
010    1001  Name code                                 M      an..3
020    1004  Number                                    C      an..35
"""
ELEMENTS = f"""
{RULE}
     Usage indicators
{RULE}
     1000  Name                                                    [B]

     Repr: an..35
{RULE}
*    1001  Name code

     Repr: an..3
{RULE}
     1004  Number

     Repr: an..35
{RULE}
     6060  Quantity
     Repr: n..15
{RULE}
|    6411  Unit
     Repr: an..3

     Note:
     1 Recommend use UN/ECE Recommendation 20.
"""
CODES = f"""
{RULE}
     1001  Name code                                               [C]

     Desc: Code.

     Repr: an..3

     1     One
              Text of it.
+    22    Two
X    AAA   Three
           and more
{RULE}
     6411  Unit
     Repr: an..3
     KGM   Kilogram
{RULE}
     End of the list
"""
TABLE = """4.3    Message structure

4.3.1  Segment table

Pos    Tag Name                                      S   R

00010   UNH Message header                           M   1
00020 + BGM Beginning
            of message                               M   1

00030       ---- Segment group 1  ------------------ C   99---------------+
00040 X RFF Reference                                M   1                |
                                                                          |
00050       ---- Segment group 2  ------------------ M   9---------------+|
00060   QTY Quantity                                 M   1---------------++
00070   UNT Message trailer                          M   1
"""
STRUCTURE = ["UNH M 1", "BGM M 1", ["SG1 C 99", "RFF M 1", ["SG2 M 9", "QTY M 1"]], "UNT M 1"]
FILES = {
    "EDSD.01B": SEGMENTS,
    "EDCD.01B": COMPOSITES,
    "EDED.01B": ELEMENTS,
    "UNCL.01B": CODES,
    "TESTER_D.01B": f"4.3.1  Segment table ..... 9\n\nSOURCE\n{TABLE}\nAnnex\n0080   NOT A row\n",
}


def zipped(files: dict[str, str | bytes], **options: Any) -> bytes:
    """A zip archive; text as code page 437."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as made:
        for name, content in files.items():
            made.writestr(name, content if isinstance(content, bytes) else content.encode("cp437"))
    return buffer.getvalue()


def changed(**files: str | bytes | None) -> bytes:
    """The small archive with other files; a name is the part and an underscore for the point."""
    named = {name.replace("__", "."): content for name, content in files.items()}
    merged = {name: named.get(name, content) for name, content in (FILES | named).items()}
    return zipped({name: content for name, content in merged.items() if content is not None})


def test_everything_is_read() -> None:
    table = compile_archive(zipped(dict(FILES))).table
    assert table.directory == "D.01B"
    assert table.segments == {"BGM": "C:C002 M:1004", "RFF": "M:C506*5", "QTY": "M:6060 C:6411*9"}
    assert table.composites == {"C002": "C:1001 C:1000", "C506": "M:1001 C:1004"}
    assert table.elements == {
        "1000": "an..35",
        "1001": "an..3",
        "1004": "an..35",
        "6060": "n..15",
        "6411": "an..3",
    }
    assert table.codes == {"1001": "1 22 AAA"}, "6411 sends to a list kept elsewhere"
    assert table.messages == {"TESTER": STRUCTURE}


def test_what_is_compiled_is_a_table_of_a_directory(directory: Directory) -> None:
    compiled = compile_archive(zipped(dict(FILES)))
    assert (compiled.left_out, compiled.interactive, compiled.ambiguous) == ({}, (), ())
    encoded = compiled.encode()
    assert msgspec.json.decode(encoded)["messages"] == {"TESTER": STRUCTURE}
    found = Directory.load(encoded, UNH_AND_UNT).find("TESTER", "D", "01B")
    assert found is not None
    assert found.segments["RFF"].elements[0].repeat == 5


UNH_AND_UNT = b"""{"directory": "D.3", "elements": {"0062": "an..14"}, "composites": {}, "messages": {},
"segments": {"UNH": "M:0062", "UNT": "M:0062"}}"""


def boxed(text: str) -> str:
    """The same table in the boxes of code page 437, as it was drawn until 2001."""
    lines = []
    for line in text.split("\n"):
        left, corners, right = re.fullmatch(r"(.*?)(-*\++)?([ |]*)", line).groups()  # type: ignore[union-attr]
        new = "┐" if corners and "Segment group" in line else "┘"
        drawn = (corners or "").replace("-", "─")
        drawn = drawn[:-1].replace("+", "┴") + new if drawn else ""
        lines.append(left.replace("----", "────") + drawn + right.replace("|", "│"))
    return "\n".join(lines)


def layouts() -> Iterator[Any]:
    inner = {"EDMD.ZIP": zipped({"Edmd/TESTER_D.01B": TABLE}), "edsd.zip": zipped({"edsd.01b": SEGMENTS})}
    rest = {name: FILES[name] for name in ("EDCD.01B", "EDED.01B", "UNCL.01B")}
    yield pytest.param(zipped({"a/b/" + name: content for name, content in FILES.items()}), id="folders")
    yield pytest.param(
        zipped({"x/" + name: content for name, content in {**inner, **rest}.items()}), id="nested"
    )
    yield pytest.param(zipped({"set.zip": zipped({"d.zip": zipped({**inner, **rest})})}), id="four deep")
    yield pytest.param(changed(TESTER_D__01B=boxed(TABLE)), id="boxes of code page 437")
    yield pytest.param(changed(TESTER_D__01B=boxed(TABLE).encode()), id="boxes in UTF-8")
    latin = TABLE.replace("\n", "\r\n").encode("latin-1")
    yield pytest.param(changed(TESTER_D__01B=latin + b"\x1a"), id="carriage returns")
    halves = CODES.split("\n     1     One")
    parts = {"UNCL__01B": None, "UNCL-1.01B": halves[0], "UNCL-2.01B": "     1     One" + halves[1]}
    yield pytest.param(changed(**parts), id="codes in two parts")  # type: ignore[arg-type]
    older = {
        name.replace("ED", "TR", 1): c for name, c in FILES.items() if name.startswith(("EDS", "EDC", "EDE"))
    }
    others = {name: c for name, c in FILES.items() if not name.startswith(("EDS", "EDC", "EDE"))}
    yield pytest.param(zipped({**older, **others}), id="names until 1996")
    named = {f"{name.replace('.01B', '')}.txt": c for name, c in FILES.items()}
    named["tester_d.txt"] = "          Release      : 01B\n" + named.pop("TESTER_D.txt")
    yield pytest.param(zipped(named), id="a release in the text only")
    yield pytest.param(zipped({f"{name}.txt": c for name, c in FILES.items()}), id="two endings")
    nothing = {"IDMD.ZIP": b"not looked at", "README.TXT": "no", "PKUNZIP.EXE": b"MZ", "EDSDI1.01B": "no"}
    yield pytest.param(zipped({**FILES, **nothing}), id="files that are left alone")
    table = re.sub(r"^\d{5} ", "      ", TABLE, flags=re.MULTILINE).replace("Segment group", "Segment Group")
    yield pytest.param(changed(TESTER_D__01B=table), id="no positions")


@pytest.mark.parametrize("data", list(layouts()))
def test_layouts(data: bytes) -> None:
    table = compile_archive(data).table
    assert table.messages == {"TESTER": STRUCTURE}
    assert table.codes == {"1001": "1 22 AAA"}


def test_only_what_some_messages_use() -> None:
    other = TABLE[: TABLE.index("00030")] + "00070   UNT Message trailer      M   1\n"
    data = changed(BRIEFS_D__01B=other)
    assert set(compile_archive(data).table.messages) == {"BRIEFS", "TESTER"}
    table = compile_archive(data, ["BRIEFS", "ABSENT"]).table
    assert table.messages == {"BRIEFS": ["UNH M 1", "BGM M 1", "UNT M 1"]}
    assert (set(table.segments), set(table.composites), set(table.codes)) == ({"BGM"}, {"C002"}, {"1001"})
    assert set(table.elements) == {"1000", "1001", "1004"}


def test_a_line_for_each_entry_in_order() -> None:
    lines = compile_archive(zipped(dict(FILES))).encode().decode().split("\n")
    assert lines[:4] == ["{", '"directory": "D.01B",', '"elements": {', '"1000": "an..35",']
    assert lines[lines.index('"segments": {') + 1].startswith('"BGM": ')
    assert ' ["SG1 C 99",' in lines
    assert '   "QTY M 1"]],' in lines


def test_standard_messages_of_the_first_releases_are_found_by_either_version() -> None:
    data = changed(TESTER_D__01B=None, TESTER_S__01B=TABLE)
    assert compile_archive(data).table.also == ("S.01B",)


def test_a_message_that_cannot_be_read_does_not_lose_the_others() -> None:
    broken = TABLE.replace("QTY Quantity", "ZZZ Nowhere ")
    twice = TABLE.replace("00030 ", "00025   RFF Reference                                C   1\n00030 ")
    dialogue = TABLE.replace("UNH Message", "UIH Message")
    compiled = compile_archive(changed(BROKEN_D__01B=broken, TWOWAY_D__01B=twice, IHCLME_D__01B=dialogue))
    assert set(compiled.table.messages) == {"TESTER", "TWOWAY"}
    assert compiled.left_out == {"BROKEN": "ZZZ is used and not defined"}
    assert compiled.interactive == ("IHCLME",)
    assert compiled.ambiguous == ("TWOWAY",)


def deep(levels: int) -> bytes:
    data = zipped({"EDSD.01B": SEGMENTS})
    for _ in range(levels):
        data = zipped({"a.zip": data})
    return data


def table_of(*rows: str) -> bytes:
    return changed(TESTER_D__01B=TABLE[: TABLE.index("00030")] + "\n".join(rows))


WRONG: list[tuple[bytes, str]] = [
    (b"", "no zip archive"),
    (b"PK\x03\x04" + b"\0" * 40, "no zip archive"),
    (zipped({}), r"segments \(EDSD\)"),
    (zipped({"EDSD.ZIP": b"PK"}), "EDSD.ZIP is no zip archive"),
    (deep(4), "more than 4 deep"),
    (changed(EDCD__01B=None), r"composites \(EDCD\)"),
    (changed(EDED__01B=None), r"data elements \(EDED\)"),
    (changed(UNCL__01B=None), r"codes \(UNCL\)"),
    (changed(TESTER_D__01B=None), "no message"),
    (changed(OTHERS_D__96B=TABLE), "one release is wanted; found: 01B, 96B"),
    (zipped({f"{name.replace('.01B', '')}.TXT": c for name, c in FILES.items()}), "found: none is named"),
    (zipped({**FILES, "b/TESTER_D.01B": TABLE}), "TESTER is in the archive twice"),
    (changed(EDSD__01B="nothing"), "EDSD: nothing is defined"),
    (changed(EDSD__01B=SEGMENTS.replace("M    1 an..35", "")), "EDSD: BGM: a row is not understood: 020"),
    (changed(EDSD__01B=SEGMENTS.replace("010    C506", "       C506")), "EDSD: RFF has no parts"),
    (changed(EDED__01B="nothing"), "EDED: no data element"),
    (changed(EDED__01B=ELEMENTS.replace("Repr: n..15", "")), "EDED: data element 6060 has no repr"),
    (changed(UNCL__01B="nothing"), "UNCL: no code"),
    (changed(EDCD__01B=COMPOSITES.replace("1004  ", "9999  ")), "9999 is used and not defined"),
    (changed(TESTER_D__01B="nothing"), "TESTER: no segment table"),
    (changed(TESTER_D__01B=TABLE[: TABLE.index("00070")]), "does not end with UNT"),
    (changed(TESTER_D__01B=TABLE.replace("00040 X RFF", "         nothing")), "TESTER: a group is a list"),
    (changed(TESTER_D__01B=TABLE.replace("00010   UNH", "00010   BGM")), "does not begin with UNH"),
    (changed(TESTER_D__01B=TABLE.replace("++\n", " |\n")), "SG2 does not end|do not agree"),
    (changed(TESTER_D__01B=TABLE.replace("---++", "     ")), "at QTY do not agree"),
    (changed(TESTER_D__01B=TABLE.replace("--++", "  ||")[:-1] + "  ||"), "SG2 does not end"),
    (
        changed(TESTER_D__01B=TABLE.replace("99---------------+", "99                ")),
        "at SG1|corner|at RFF",
    ),
    (table_of("00030   UNT Trailer"), "a row of the segment table is not understood: 00030 UNT"),
    (table_of("00030   QTY M", "a", "b", "c", "d"), "not understood: 00030 QTY M"),
    (table_of(*(f"00030   QTY Quantity   C   {n}" for n in range(message.MAX_ROWS))), "more than 4000 rows"),
    (
        table_of(
            *(
                f"00030  ---- Segment group {n} ---- C 9----+{'|' * n}\n0 RFF R M 1 {'|' * (n + 1)}"
                for n in range(40)
            )
        ),
        "more than 30 deep",
    ),
]


@pytest.mark.parametrize(("data", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_is_wrong_is_said(data: bytes, said: str) -> None:
    with pytest.raises(ArchiveError, match=said):
        compile_archive(data)


def test_none_of_the_messages_wanted() -> None:
    with pytest.raises(ArchiveError, match="none of the messages wanted"):
        compile_archive(zipped(dict(FILES)), ["CUSDEC"])


@pytest.mark.parametrize(
    ("name", "limit", "data", "said"),
    [
        ("MAX_ARCHIVE", 1 << 20, b"\0" * ((1 << 20) + 1), "larger than 1 MB"),
        ("MAX_FILES", 4, zipped(dict(FILES)), "more than 4 files"),
        ("MAX_FILES", 4, zipped({"a.zip": zipped({str(n): "" for n in range(4)})}), "more than 4 files"),
        ("MAX_FILE", 1 << 20, changed(UNCL__01B=" " * ((1 << 20) + 1)), "UNCL.01B: more than 1 MB"),
        ("MAX_TOTAL", 1 << 20, changed(UNCL__01B=" " * (1 << 20)), "more than [01] MB, unpacked"),
    ],
)
def test_limits(monkeypatch: pytest.MonkeyPatch, name: str, limit: int, data: bytes, said: str) -> None:
    monkeypatch.setattr(archive, name, limit)
    with pytest.raises(ArchiveError, match=said):
        compile_archive(data)


def test_a_bomb_is_put_out() -> None:
    """However small the archive says its members are, no more is unpacked than may be."""
    bomb = zipped({"UNCL.01B": b"\0" * (50 << 20)}, compression=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError, match=r"UNCL.01B: more than 8 MB"):
            compile_archive(bomb)
        assert tracemalloc.get_traced_memory()[1] < 30 << 20
    finally:
        tracemalloc.stop()


def test_what_is_locked_or_packed_in_an_unknown_way_is_refused() -> None:
    locked = bytearray(zipped({"UNCL.01B": CODES}))
    central = locked.index(b"PK\x01\x02")
    locked[central + 8] |= 1
    locked[6] |= 1
    with pytest.raises(ArchiveError, match=r"UNCL.01B cannot be unpacked"):
        compile_archive(bytes(locked))
    imploded = bytearray(zipped({"UNCL.01B": CODES}))
    imploded[central + 10] = imploded[8] = 6
    with pytest.raises(ArchiveError, match=r"UNCL.01B cannot be unpacked"):
        compile_archive(bytes(imploded))


SMALL = zipped(dict(FILES), compression=zipfile.ZIP_DEFLATED)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_archive_is_read_or_refused(damage: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL)
    for place, octet in damage:
        data[place] = octet
    try:
        compiled = compile_archive(bytes(data))
    except ArchiveError:
        return
    assert isinstance(compiled, Compiled)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(sorted(FILES)),
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from(["", "\n", " ", "|", "+", "M", "9" * 8, "é", "\0", RULE]))
    ),
)
def test_a_damaged_text_is_read_or_refused(name: str, damage: list[tuple[float, str]]) -> None:
    text = FILES[name]
    for place, put in damage:
        at = int(place * len(text))
        text = text[:at] + put + text[at + 1 :]
    try:
        compiled = compile_archive(zipped({**FILES, name: text}))
    except ArchiveError:
        return
    Directory.load(compiled.encode(), UNH_AND_UNT).check()
