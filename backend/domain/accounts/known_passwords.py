"""Passwords that everyone knows are refused: the lists that ship with zxcvbn (some 30,000, from real leaks)."""

from functools import cache
from typing import Final

WELL_KNOWN: Final = "This password is among the first that are tried. Choose one that is harder to guess."


def is_well_known(password: str) -> bool:
    """Whether the password is in the list, whatever its case."""
    return password.casefold() in _list()


@cache
def _list() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(word.casefold() for word in FREQUENCY_LISTS["passwords"] if len(word) >= 8)
