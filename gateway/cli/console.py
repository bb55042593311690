"""What commands print for a person. Much of it came from outside: nothing is cut, nothing is markup."""

from rich.console import Console
from rich.text import Text


def say(*parts: str | tuple[str, str]) -> None:
    """One line on standard output, however long; a part may be (text, style)."""
    Console(highlight=False).print(Text.assemble(*parts), soft_wrap=True)
