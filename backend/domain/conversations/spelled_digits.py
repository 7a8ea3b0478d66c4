"""Digits as people write them to get past a filter: spaced, with signs between, as words, in English and Hindi."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

DIGIT_WORDS: Final[dict[str, str]] = {
    **dict.fromkeys(("zero", "oh", "nil", "shunya", "sunya", "jiro", "शून्य", "जीरो", "ज़ीरो"), "0"),
    **dict.fromkeys(("one", "ek", "wan", "एक", "वन"), "1"),
    **dict.fromkeys(("two", "do", "दो", "टू"), "2"),
    **dict.fromkeys(("three", "teen", "tin", "तीन", "थ्री"), "3"),
    **dict.fromkeys(("four", "char", "chaar", "चार", "फोर"), "4"),
    **dict.fromkeys(("five", "paanch", "panch", "paach", "पाँच", "पांच", "पाच", "फाइव"), "5"),
    **dict.fromkeys(("six", "chhah", "chhe", "chheh", "chah", "che", "cheh", "छह", "छः", "छ", "छे", "सिक्स"), "6"),
    **dict.fromkeys(("seven", "saat", "sat", "सात", "सेवन"), "7"),
    **dict.fromkeys(("eight", "aath", "ath", "aat", "आठ", "एट"), "8"),
    **dict.fromkeys(("nine", "nau", "nou", "नौ", "नाइन"), "9"),
}
TEENS: Final = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen")
TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
TWO_DIGITS: Final[dict[str, str]] = {
    **{word: str(10 + place) for place, word in enumerate((*TEENS, "nineteen"))},
    **{word: f"{2 + place}0" for place, word in enumerate(TENS)},
}
REPEATS: Final = {"double": 2, "dabal": 2, "डबल": 2, "triple": 3, "ट्रिपल": 3}
WORDS: Final = {**DIGIT_WORDS, **TWO_DIGITS, **dict.fromkeys(REPEATS, "")}
_LONGEST_FIRST: Final = "|".join(sorted(map(re.escape, WORDS), key=len, reverse=True))
_ONE_WORD: Final = re.compile(_LONGEST_FIRST)
_ONLY_WORDS: Final = re.compile(rf"(?:{_LONGEST_FIRST})+")
# A plus or two zeros before a digit, digits, or letters (with the vowel signs of Indian scripts); the rest is between.
_PIECE: Final = re.compile(r"(?P<digits>\d+)|(?P<letters>[a-z\u0900-\u0965\u0970-\u097f]+)")
_BETWEEN: Final = re.compile(r"[\s\-–—.,/()\[\]{}+_*|~:;'\"#=<>•·]{0,6}")  # noqa: RUF001 - signs that people type
_LOOKALIKES: Final = {"o": "0", "l": "1", "i": "1"}


class Token(NamedTuple):
    """One or more digits in a text.

    ``is_word``: written as a word. ``is_international``: right after a plus. ``is_listed``: a comma, a plus or a line
    break is before it, as in a list of amounts.
    """

    digits: str
    start: int
    end: int
    is_word: bool
    is_international: bool
    is_listed: bool


def chains(text: str) -> Iterator[list[Token]]:
    """Return the runs of digits that nothing but signs and spaces separate. The text is in lower case."""
    chain: list[Token] = []
    for token in _tokens(text):
        if chain and not _BETWEEN.fullmatch(text, chain[-1].end, token.start):
            yield _joined(chain)
            chain = []
        chain.append(token)
    if chain:
        yield _joined(chain)


def _tokens(text: str) -> Iterator[Token]:
    end, repeat = 0, 1
    for piece in _PIECE.finditer(text):
        gap = text[end : piece.start()]
        start, end = piece.span()
        is_international = gap.endswith("+") and not text[: start - 1].rstrip()[-1:].isdigit()  # else a sum
        is_listed = any(sign in gap for sign in ",+\n")
        if piece["digits"]:
            yield Token(piece[0] * repeat, start, end, False, is_international, is_listed)
            repeat = 1
            continue
        digits, repeat = _spelled(piece[0], repeat)
        if digits is None:
            digits = _lookalikes(text, start, end)
            if digits is None:
                continue
        yield Token(digits, start, end, len(piece[0]) > 1, is_international, is_listed)


def _spelled(letters: str, repeat: int) -> tuple[str | None, int]:
    """Return the digits that a word or several without a space stand for, None if others, and what repeats the next."""
    if not _ONLY_WORDS.fullmatch(letters):
        return None, 1
    digits = ""
    for word in _ONE_WORD.findall(letters):
        if word in REPEATS:
            repeat = REPEATS[word]
            continue
        digits += WORDS[word] * repeat
        repeat = 1
    return digits, repeat


def _lookalikes(text: str, start: int, end: int) -> str | None:
    """Return the digits that letters stand for which touch a digit: ``98o5l``."""
    touches = text[start - 1 : start].isdigit() or text[end : end + 1].isdigit()
    if not touches or not set(text[start:end]) <= set(_LOOKALIKES):
        return None
    return "".join(_LOOKALIKES[letter] for letter in text[start:end])


def _joined(chain: list[Token]) -> list[Token]:
    """Return the chain with "ninety eight" as 98."""
    found: list[Token] = []
    for token in chain:
        if found and _is_tens(found[-1]) and token.is_word and len(token.digits) == 1:
            found[-1] = found[-1]._replace(digits=found[-1].digits[0] + token.digits, end=token.end)
        else:
            found.append(token)
    return found


def _is_tens(token: Token) -> bool:
    return token.is_word and len(token.digits) == 2 and token.digits[0] not in "01" and token.digits[1] == "0"
