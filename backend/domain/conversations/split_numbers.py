"""Phone numbers that are sent in parts: "98765" in one message and "43210" in the next.

A part by itself is no contact detail. It is one with what the same author wrote before, so that the part that
completes a number is hidden; what was stored before stays as it is. A number that comes by a digit or two a message is
hidden earlier, since most of it can be read by then.
"""

from collections.abc import Sequence
from typing import Final

import phonenumbers

from backend.domain.conversations.masking import (
    MOBILE,
    MOST_DIGITS,
    Masked,
    is_mobile,
    is_round,
    normalize,
    set_aside,
    type_of,
    without,
)
from backend.domain.conversations.spelled_digits import Token, chains

MOST_EARLIER: Final = 12  # messages of the author that count; those without digits count too, and are passed over
LONGEST_EARLIER: Final = 120  # characters of their ends
LONGEST_START: Final = 200  # characters of the beginning of the new message
PINCODE_DIGITS: Final = 6
# A number of which a digit or two come with each message: from how many digits in how many messages it is hidden.
MOST_IN_PART, BEGUN_DIGITS, BEGUN_MESSAGES = 2, 7, 5


def may_continue(text: str) -> bool:
    """Return whether a message has digits in its beginning, which may go on with a number."""
    return any(chains(set_aside(normalize(text[:LONGEST_START]).text)))


def mask_continued(shown: Masked, *, earlier: Sequence[str], region: str) -> Masked:
    """Return a masked message with the beginning hidden if it goes on with a phone number in earlier messages.

    ``earlier``: the ends of the author's previous messages as they are stored, oldest first.
    """
    normal = normalize(shown.text[:LONGEST_START])
    before = [set_aside(normalize(body).text) for body in earlier]
    text = "\n".join([*(body for body in before if _may_be_part(body)), set_aside(normal.text)])
    first = len(text) - len(normal.text)
    for chain in chains(text):
        if not chain[0].start < first <= chain[-1].start:
            continue
        end = _end_of_number(text, chain, first, region)
        if end is not None:
            start = next(token.start for token in chain if token.start >= first)
            return Masked(without(shown.text, [normal.in_original(start - first, end - first)]), is_masked=True)
    return shown


def _may_be_part(body: str) -> bool:
    """Return whether an earlier message has digits, and not just a quantity among words: "two fans"."""
    tokens = [token for chain in chains(body) for token in chain]
    digits = sum(len(token.digits) for token in tokens)
    characters = sum(character.isalnum() for character in body)
    has_words = characters > sum(token.end - token.start for token in tokens)
    return digits > MOST_IN_PART or (digits > 0 and not has_words)


def _end_of_number(text: str, chain: list[Token], first: int, region: str) -> int | None:
    """Return where the longest number ends that begins before ``first`` and ends after it, or None."""
    new = next(place for place, token in enumerate(chain) if token.start >= first)
    found = None
    for begin in range(new):
        for end in range(new, len(chain)):
            tokens = chain[begin : end + 1]
            digits = "".join(token.digits for token in tokens)
            if len(digits) > MOST_DIGITS:
                break
            if _is_number(tokens, digits, region) or _is_begun(text, tokens, digits, region):
                found = max(found or 0, chain[end].end)
    return found


def _is_number(tokens: list[Token], digits: str, region: str) -> bool:
    """Return whether the parts are one number, and not amounts or a pincode that were sent one after the other."""
    if all(is_round(token) or len(token.digits) == PINCODE_DIGITS for token in tokens):
        return False
    if tokens[0].is_international:
        return type_of(f"+{digits}", region) is not None
    kind = type_of(digits, region)
    return kind is not None and (kind in MOBILE or digits.startswith("0"))


def _is_begun(text: str, tokens: list[Token], digits: str, region: str) -> bool:
    """Return whether the parts can be the beginning of a mobile number that comes in very small parts."""
    if len(digits) < BEGUN_DIGITS or any(len(token.digits) > MOST_IN_PART for token in tokens):
        return False
    if text.count("\n", tokens[0].start, tokens[-1].start) + 1 < BEGUN_MESSAGES:
        return False
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    return example is not None and is_mobile(digits + str(example.national_number)[len(digits) :], region)
