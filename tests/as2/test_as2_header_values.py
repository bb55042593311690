"""Structured header values in every legal form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.gateway.as2.header_values import (
    MAX_COMMENTED,
    boundary_of,
    media_type_of,
    name_in_disposition,
    parameters,
    without_comments,
)


@pytest.mark.parametrize(
    ("value", "bare"),
    [
        ("multipart/signed (x); a=b", "multipart/signed  ; a=b"),
        ("a/b (one (two) three) ; c=d", "a/b   ; c=d"),
        ('a/b; c="(no comment)"', 'a/b; c="(no comment)"'),
        ('a/b; c="x\\"(y" (z)', 'a/b; c="x\\"(y"  '),
        ("a/b; boundary=----=_Part_(1)", "a/b; boundary=----=_Part_(1)"),
        ("(lead) processed", "  processed"),
        ("a/b (never closed", "a/b (never closed"),
    ],
)
def test_comments_are_no_part_of_a_value(value: str, bare: str) -> None:
    assert without_comments(value) == bare


def test_a_long_value_is_taken_as_it_is() -> None:
    value = "a/b " + "( " * MAX_COMMENTED
    assert without_comments(value) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a/b; boundary*0=ab; boundary*1=cd", "abcd"),
        ("a/b; boundary*=us-ascii'en'abc", "abc"),
        ("a/b; boundary=abc (c)", "abc"),
        ("a/b (x); boundary=abc", "abc"),
        ("a/b; boundary*0*=us-ascii''a%62; boundary*1=c", "abc"),
        ("a/b; boundary*1=c", None),
    ],
)
def test_a_boundary_in_any_form(value: str, expected: str | None) -> None:
    assert boundary_of(value) == expected


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ('attachment; filename*0="decla"; filename*1="ration.edi"', "declaration.edi"),
        ("attachment; filename*0*=UTF-8''d%C3%A9; filename*1*=cl.edi", "décl.edi"),
        ("attachment; filename=\"x.edi\"; filename*=UTF-8''d%C3%A9cl.edi", "décl.edi"),
        ("attachment; filename=x.edi (as sent)", "x.edi"),
        ('attachment; filename="dÃ©cl.edi"', "décl.edi"),
        ("attachment; filename*=KOI8-R''x.edi", None),
        ('attachment; filename="=?UTF-8?B?ZMOpY2wuZWRp?="', "décl.edi"),
        ('attachment; filename="=?no-such?B?ZMOpY2wuZWRp?="', "=?no-such?B?ZMOpY2wuZWRp?="),
        ("attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
    ],
)
def test_a_file_name_in_any_form(value: str, name: str | None) -> None:
    assert name_in_disposition(value) == name


def test_a_type_with_a_comment_is_that_type() -> None:
    assert media_type_of("Application/PKCS7-mime (cms); smime-type=signed-data") == "application/pkcs7-mime"


@given(st.text(alphabet="()\\\"; =*ab'%0", max_size=80))
def test_nothing_is_too_odd_to_be_read(value: str) -> None:
    parameters("a/b; " + value)
    media_type_of(value)
    boundary_of(value)
    name_in_disposition(value)
