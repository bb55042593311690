"""UNTDID 0085 in its two forms: what a CONTRL of each syntax version may say, and what it means."""

from collections.abc import Mapping

from ..report import Code

# By version 3 (as in D.96B to D.99B, those that are withdrawn left out) and by version 4 (40202).
_BOTH = "2 7 12 13 14 15 16 17 18 20 21 22 23 24 25 26 28 29 30 32 33 35 36 37 39 40"
CODES_3 = frozenset(f"{_BOTH} 19 27 31 34 38 41 42 43".split())
CODES_4 = frozenset(f"{_BOTH} 45 46 47 48".split())
# A code that the version written does not have: the nearest one it has.
_IN_3: Mapping[str, str] = {"45": "16", "46": "21", "47": "15", "48": "18"}
_IN_4: Mapping[str, str] = {"3": "14", "19": "37", "27": "47", "31": "14", "34": "15", "38": "37", "43": "7"}
# Those of older lists, in any version.
_OLDER: Mapping[str, str] = {"1": "20", "3": "14", "5": "29", "8": "16", "9": "13", "10": "12", "11": "17"}

# Own words, for findings made of what a peer reports.
MEANINGS: Mapping[str, str] = {
    "1": "the service string advice is not supported",
    "2": "the syntax version or level is not supported",
    "3": "the message version or release is not supported",
    "4": "a service segment is missing or invalid",
    "5": "the trailer does not agree with the header or the count",
    "6": "a segment is missing or invalid",
    "7": "the interchange is addressed to somebody else",
    "8": "the segment has too many elements",
    "9": "a mandatory element is missing",
    "10": "the form of an element is not right",
    "11": "the password is not valid",
    "12": "the value is not valid",
    "13": "what is mandatory is missing",
    "14": "the value is not supported here",
    "15": "this is not supported here",
    "16": "there are too many elements or components",
    "17": "there is no agreement for this value",
    "18": "an error that is not told further",
    "19": "the decimal notation is not valid",
    "20": "the character cannot be a service character",
    "21": "a character is not of the character set",
    "22": "a service character is not valid",
    "23": "the sender is not known",
    "24": "it is too old",
    "25": "the test indicator is not supported",
    "26": "it was received before",
    "27": "the security function is not supported",
    "28": "the references do not match",
    "29": "the count does not match what was received",
    "30": "groups and messages are mixed",
    "31": "there is more than one message type in the group",
    "32": "there is nothing on the next lower level",
    "33": "it stands outside a message, package or group",
    "34": "the nesting indicator is not allowed",
    "35": "there are too many repetitions",
    "36": "there are too many repetitions of a segment group",
    "37": "the characters are of the wrong type",
    "38": "a digit before the decimal mark is missing",
    "39": "the element is too long",
    "40": "the element is too short",
    "41": "a permanent error of the network",
    "42": "a temporary error of the network",
    "43": "the recipient is not known",
    "44": "the application is not available now",
    "45": "a separator stands at the end",
    "46": "the character set is not supported",
    "47": "the function of the envelope is not supported",
    "48": "a dependency condition is not met",
}


def code_for(code: str, version: int, *, envelope: bool = False) -> str:
    """`code` as a CONTRL of syntax `version` may say it; 18 where it has nothing like it.

    A character set that is not supported is, in version 3, told of UNB (`envelope`) as a level that is not.
    """
    known, instead = (CODES_4, _IN_4) if version >= 4 else (CODES_3, _IN_3)
    if code in known:
        return code
    if envelope and code == Code.CHARSET_NOT_SUPPORTED:
        return Code.SYNTAX_NOT_SUPPORTED.value
    return instead.get(code) or _OLDER.get(code) or Code.UNSPECIFIED.value
