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
# From ten to ninety-nine: Hindi has a word for each, in which numbers are said.
HINDI: Final = (
    "दस ग्यारह बारह तेरह चौदह पंद्रह सोलह सत्रह अठारह उन्नीस "
    "बीस इक्कीस बाईस तेईस चौबीस पच्चीस छब्बीस सत्ताईस अट्ठाईस उनतीस "
    "तीस इकतीस बत्तीस तैंतीस चौंतीस पैंतीस छत्तीस सैंतीस अड़तीस उनतालीस "
    "चालीस इकतालीस बयालीस तैंतालीस चौवालीस पैंतालीस छियालीस सैंतालीस अड़तालीस उनचास "
    "पचास इक्यावन बावन तिरपन चौवन पचपन छप्पन सत्तावन अट्ठावन उनसठ "
    "साठ इकसठ बासठ तिरसठ चौंसठ पैंसठ छियासठ सड़सठ अड़सठ उनहत्तर "
    "सत्तर इकहत्तर बहत्तर तिहत्तर चौहत्तर पचहत्तर छिहत्तर सतहत्तर अठहत्तर उन्यासी "
    "अस्सी इक्यासी बयासी तिरासी चौरासी पचासी छियासी सत्तासी अट्ठासी नवासी "
    "नब्बे इक्यानवे बानवे तिरानवे चौरानवे पंचानवे छियानवे सत्तानवे अट्ठानवे निन्यानवे"
)
HINDI_SPELLED: Final = {  # in other spellings
    "पन्द्रह": "15",
    "बाइस": "22",
    "तेइस": "23",
    "सत्ताइस": "27",
    "अठ्ठाईस": "28",
    "अट्ठाइस": "28",
    "चवालीस": "44",
    "तिरेपन": "53",
    "चौअन": "54",
    "अठ्ठावन": "58",
    "चौसठ": "64",
    "उनासी": "79",
    "अठासी": "88",
    "इक्यानबे": "91",
    "बानबे": "92",
    "तिरानबे": "93",
    "चौरानबे": "94",
    "पंचानबे": "95",
    "पचानवे": "95",
    "छियानबे": "96",
    "सत्तानबे": "97",
    "अट्ठानबे": "98",
    "अठानवे": "98",
    "निन्यानबे": "99",
}
ROMANISED: Final = (
    "das gyarah barah terah chaudah pandrah solah satrah atharah unnis "
    "bees ikkis bais teis chaubis pachis chabbis sattais atthais untis "
    "tees ikattis battis taintis chauntis paintis chattis saintis adtis untalis "
    "chalis iktalis bayalis taintalis chavalis paintalis chiyalis saintalis adtalis unchas "
    "pachas ikyavan bavan tirpan chauvan pachpan chappan sattavan atthavan unsath "
    "saath iksath basath tirsath chaunsath painsath chiyasath sadsath adsath unhattar "
    "sattar ikhattar bahattar tihattar chauhattar pachhattar chihattar sathattar athhattar unasi "
    "assi ikyasi bayasi tirasi chaurasi pachasi chiyasi sattasi atthasi navasi "
    "nabbe ikyanve banve tiranve chauranve panchanve chiyanve sattanve atthanve ninyanve"
)
TWO_DIGITS: Final[dict[str, str]] = {
    **{word: str(10 + place) for words in (ROMANISED, HINDI) for place, word in enumerate(words.split())},
    **HINDI_SPELLED,
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
_SIGNS: Final = r"(?:[^\w\0]|_){0,30}"  # what is no letter or digit, and nothing that was set aside
_BETWEEN: Final = re.compile(rf"{_SIGNS}(?:(?:then|next|phir|fir|फिर){_SIGNS})?")
_AND: Final = re.compile(rf"{_SIGNS}(?:and|n|aur|or|और|व){_SIGNS}")
# Words that sound like digits count between two words for digits: "nine ate seven", "five for three".
SOUNDS: Final = {"ate": "8", "for": "4", "to": "2", "too": "2", "won": "1"}
_SOUNDS: Final = re.compile(rf"{_SIGNS}(?:(?:{'|'.join(SOUNDS)})\b{_SIGNS}){{1,3}}")
_SOUND: Final = re.compile(rf"\b(?:{'|'.join(SOUNDS)})\b")
# Roman numerals are digits as such, not words: "i" and "v" are in too many other texts.
ROMAN: Final = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
_LOOKALIKES: Final = {"o": "0", "l": "1", "i": "1", "b": "8", "s": "5", "z": "2"}


class Token(NamedTuple):
    """One or more digits in a text.

    ``is_word``: written as a word. ``is_international``: right after a plus. ``is_listed``: a comma, a plus or a line
    break is before it, as in a list of amounts. ``is_joined``: an "and" is before it.
    """

    digits: str
    start: int
    end: int
    is_word: bool
    is_international: bool
    is_listed: bool
    is_joined: bool = False


def chains(text: str) -> Iterator[list[Token]]:
    """Return the runs of digits that nothing but signs and spaces separate. The text is in lower case."""
    chain: list[Token] = []
    for token in _tokens(text):
        before = _before(text, chain[-1], token) if chain else [token]
        if not before:
            yield _joined(chain)
            chain, before = [], [token]
        chain += before
    if chain:
        yield _joined(chain)


def _before(text: str, last: Token, token: Token) -> list[Token]:
    """Return the token with what counts of the text between the two, or nothing where it separates them."""
    span = last.end, token.start
    if _BETWEEN.fullmatch(text, *span):
        return [token]
    if _AND.fullmatch(text, *span):
        return [token._replace(is_joined=True)]
    if last.is_word and token.is_word and len(last.digits) == len(token.digits) == 1 and _SOUNDS.fullmatch(text, *span):
        sounds = [
            Token(SOUNDS[found[0]], *found.span(), is_word=True, is_international=False, is_listed=False)
            for found in _SOUND.finditer(text, *span)
        ]
        return [*sounds, token]
    return []


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
        if digits is not None:
            yield Token(digits, start, end, len(piece[0]) > 1, is_international, is_listed)
            continue
        digits = _lookalikes(text, start, end)
        is_word = digits is not None and len(piece[0]) > 1
        digits = ROMAN.get(piece[0]) if digits is None else digits
        if digits is not None:
            yield Token(digits, start, end, is_word, is_international, is_listed)


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
