"""The named queries: SQL lives in queries.sql, one sentence each."""

import re
from collections.abc import Mapping
from importlib import resources
from typing import NamedTuple

_NAME = re.compile(r"-- (?P<name>[a-z_]+): (?P<sentence>.+\.)")


class Query(NamedTuple):
    """One statement and what it is for."""

    sentence: str
    sql: str


def parse_queries(text: str) -> dict[str, Query]:
    """The queries of `text` by name: each begins with a line `-- name: sentence.` and ends with a semicolon.

    Raises ValueError for a name used twice, and for a query that is empty or holds more than one statement.
    """
    found: dict[str, Query] = {}
    name, sentence, lines = "", "", list[str]()
    for line in [*text.splitlines(), "-- end: The end."]:
        start = _NAME.fullmatch(line)
        if start is None:
            lines.append(line)
            continue
        if name:
            sql = "\n".join(lines).strip()
            if name in found or sql.count(";") != 1 or not sql.endswith(";"):
                raise ValueError(f"query {name} is there twice, or is not one statement")
            found[name] = Query(sentence, sql.removesuffix(";"))
        name, sentence, lines = start["name"], start["sentence"], []
    return found


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


SCHEMA = _read("schema.sql")
QUERIES = parse_queries(_read("queries.sql"))
SQL: Mapping[str, str] = {name: query.sql for name, query in QUERIES.items()}
