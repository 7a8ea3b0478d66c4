"""Hiding contact details in messages: phone numbers, email and web addresses, and UPI ids.

The text is compared in a normal form (compatibility characters, ASCII digits, lower case, no invisible characters), and
what is found is replaced in the original. Phone numbers are looked for in chains of digits and number words, see
``spelled_digits``. Amounts, times, dates, sizes and pincodes are set aside first, because they look alike. Names in
messengers are in ``handles``, numbers that are sent in parts in ``split_numbers``.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import phonenumbers

from backend.domain.conversations.handles import HANDLES
from backend.domain.conversations.spelled_digits import Token, chains

HIDDEN: Final = "•••"
LEAST_DIGITS, MOST_DIGITS = 8, 15  # ITU-T E.164 has up to 15; shorter numbers are hardly told from amounts
LONGEST_AMOUNT: Final = 10  # no amount, pincode or date has more digits in one piece
MOST_COUNTRY_DIGITS: Final = 15
MOBILE: Final = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
TOLL_FREE: Final = phonenumbers.PhoneNumberType.TOLL_FREE
ROUND: Final = 50  # amounts are often multiples of it, and parts of a phone number rarely
MOST_LOOKUPS: Final = 400  # of numbers in one text; beyond, the rest of the digits is hidden
TLDS: Final = (
    "com|net|org|info|biz|io|app|dev|in|co|me|link|online|site|shop|store|page|live|xyz|click|ly|gl|be|"
    "info|pro|club|tech|digital|services|us|uk|ae|eu|de|fr"
)
MAILERS: Final = "gmail|googlemail|yahoo|ymail|hotmail|outlook|live|rediffmail|icloud|proton|protonmail|zoho"
BANKS: Final = (
    "okaxis|okhdfcbank|okicici|oksbi|ybl|ibl|axl|paytm|ptyes|ptaxis|pthdfc|ptsbi|upi|apl|yapl|rapl|airtel|jio|"
    "freecharge|ikwik|kotak|sbi|hdfcbank|icici|axisbank|barodampay|cnrb|federal|idfcbank|indus|pnb|unionbank|yesbank|"
    "postbank|waicici|wahdfcbank|wasbi|waaxis|slice|fam|naviaxis|superyes|timecosmos|tapicici|freoicici|axisb|yescred"
)
SPELLED_AT: Final = r"(?:\(at\)|\[at\]|\{at\}|<at>)"
AT: Final = rf"(?:@|{SPELLED_AT})"
DOT: Final = r"(?:\.|\(dot\)|\[dot\]|\{dot\}|<dot>|\bdot\b|डॉट)"
START: Final = r"(?<![\w.+-])"  # of a name: each is tried once, so that long texts take no longer than their length
ADDRESSES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # Links, by scheme or by "www", up to the next space
        r"\b(?:https?|ftp|upi|tel|sms|mailto|whatsapp|tg|intent)\s?:\s?(?://)?[^\s]{2,}",
        r"\bwww\s?\.\s?[^\s]{2,}",
        r"\b(?:t|m|g)\.(?:me|co)/[^\s]+",
        # Email: a name, "at", and a host, as signs or as words
        rf"{START}[\w.+-]+\s?{AT}\s?[\w-]+(?:\s?{DOT}\s?[\w-]+)+",
        rf"{START}[\w.+-]+\s+(?:at|एट)\s+[\w-]+\s*{DOT}\s*(?:co\s*{DOT}\s*in|com|in|org|net|co|io|me)\b(?<!\.\sin)",
        rf"{START}[\w.+-]+\s*(?:{AT}|\b(?:at|एट)\b)\s*(?:{MAILERS})\b(?:\s*{DOT}\s*(?:com|in|co|me|net)\b)*",
        rf"{START}[\w.+-]+\s+(?:{MAILERS})\s+com\b",
        # UPI ids: a name and a bank, without a dot after it
        rf"{START}[\w.-]{{2,}}(?:@|\s?{SPELLED_AT}\s?)[a-z][a-z0-9]{{1,30}}\b",
        rf"{START}[\w.-]{{2,}}\s*(?:{AT}|\bat\b)\s*(?:{BANKS})\b",
    )
)
# Hosts. A dot without a space after it also ends careless sentences ("is broken.In the hall"): where the ending is an
# English word, it has to be in lower case.
WORD_ENDINGS: Final = (
    "be",
    "club",
    "co",
    "in",
    "link",
    "live",
    "me",
    "online",
    "page",
    "services",
    "shop",
    "store",
    "us",
)
HOST: Final = re.compile(
    rf"(?<![\w@.-])[\w-]{{2,}}(?:\.[\w-]{{2,}})*\.(?:{TLDS})(?:\.in|\.uk)?\b(?!\.\w)(?:[/?#][^\s]*)?", re.IGNORECASE
)
SPELLED_HOST: Final = re.compile(
    r"(?<![\w-])[\w-]{2,}\s*(?:\s\.\s|\(dot\)|\[dot\]|\{dot\}|\sdot\s|\sडॉट\s)\s*(?:com|net|org|co|in|io)\b"
    r"(?:\s*dot\s*in\b)?"
)
# Letters with a space between each two: a word that is spelled, or an address.
SPACED: Final = re.compile(r"(?<!\S)(?:[a-z@.] ){3,}[a-z@.](?!\S)")
# Of the Default_Ignorable_Code_Points of Unicode, those that are no format characters (Cf).
IGNORABLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
TEN: Final = "\N{KEYCAP TEN}"
# Numbers of orders and papers: as long as landline numbers, but nobody calls a mobile number an order.
BEFORE_OTHER_NUMBER: Final = re.compile(
    r"\b(?:order|invoice|inv|bill|receipt|request|ref|reference|booking|ticket|token|awb|tracking|serial|meter|reading|ऑर्डर|बिल)"
    r"(?:\s?(?:no|nos|number|id|num|नंबर)\b\.?)?\s?[:#-]?\s?$"
)
LONGEST_BEFORE: Final = 24
ACCENT: Final = re.compile("[\u0300-\u036f]")  # drawn over the character before, also over digits
NUMBER: Final = r"\d{1,8}(?:\.\d{1,2})?|\d{1,3}(?:,\d{2,3}){1,3}(?:\.\d{1,2})?"
UNITS: Final = (
    r"mm|cm|m|mtr|mtrs|metres?|meters?|km|kms|ft|feet|foot|inch|inches|in|kg|kgs|g|gm|gms|grams?|litres?|liters?|l|ltr|ml|"
    r"w|kw|kwh|watts?|v|volts?|amps?|hp|btu|tons?|sq\.?\s?(?:ft|m|feet|metres?|meters?)|sqft|sqm|"
    r"hours?|hrs?|minutes?|mins?|seconds?|days?|weeks?|months?|years?|yrs|pm|am|%|percent|°c|°|"
    r"rupees?|rupaye|rs|inr|lakhs?|crores?|pcs|pieces?|nos|rooms?|floors?|मीटर|फुट|फीट|घंटे|घंटा|मिनट|दिन|रुपये|रुपए|किलो"
)
NOT_AFTER_TIMES: Final = r"(?<!\d[x\u00d7*])(?<!\d[x\u00d7*]\s)(?<!\d\s[x\u00d7*])(?<!\d\s[x\u00d7*]\s)"
DATE_DAY, DATE_MONTH, DATE_YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:20\d\d|\d\d)"
TIME: Final = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
LENGTH: Final = r"\d{1,5}(?:\.\d{1,3})?(?:\s?(?:mm|cm|m|ft|feet|inch|in|\"|'))?"
ALONE: Final = r"(?<![\d./:-])", r"(?![./:-]?\d)"  # nothing of another number before and after
HARMLESS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # Times, also two of them with a dash between, and dates, also with a time right after
        r"(?<![\d:.])(?:[01]?\d|2[0-3])[:.][0-5]\d(?::[0-5]\d)?\s?(?:[ap]\.?m\b\.?)(?!\d)",
        rf"(?<![\d:]){TIME}(?!\s?:?\d)(?:\s?(?:-|\u2013|to|से)\s?{TIME})?(?![\d:])",
        rf"{ALONE[0]}20\d\d([-/.]){DATE_MONTH}\1{DATE_DAY}(?:t?(?=\d\d:\d\d)|(?![./-]?\d))",
        rf"{ALONE[0]}{DATE_DAY}([-/.]){DATE_MONTH}\1{DATE_YEAR}{ALONE[1]}",
        # Sizes: two or three numbers with "x" between them
        rf"(?<![\d.]){NOT_AFTER_TIMES}{LENGTH}(?:\s?[x\u00d7*]\s?{LENGTH}){{1,2}}(?![\d])(?!\s?[x\u00d7*]\s?\d)",
        # Amounts: with a currency before or after them, or with groups of thousands
        rf"(?:₹|\$|€|£|\brs\.?|\binr\b|\brupees?\b|रु\.?|रुपये|\bmrp\b)\s?(?:{NUMBER})(?![\d.,]?\d)(?:\s?/-)?",
        rf"(?<![\d.,-])(?:{NUMBER})(?:\s?/-|\s?(?:{UNITS})(?![a-z0-9\u0900-\u097f]))",
        r"(?<![\d.,])\d{1,2},\d{2},\d{3}(?:\.\d{1,2})?(?![,.]?\d)|(?<![\d.,])\d{1,3},\d{3}(?:,\d{3})*(?:\.\d{1,2})?(?![,.]?\d)",
        r"(?<![\d.,])\d{1,5}\.\d{1,2}(?![\d.])(?=\s|$|[,;)])",
    )
)


class Masked(NamedTuple):
    """A text as it may be shown, and whether something in it was hidden."""

    text: str
    is_masked: bool


@dataclass(frozen=True, slots=True)
class Normal:
    """The normal form of a text, and where in the text each of its characters begins and ends.

    Invisible characters and accents belong to the one before them, and so do the spaces of a word that is spelled.
    """

    text: str
    starts: list[int]
    ends: list[int]

    def in_original(self, start: int, end: int) -> tuple[int, int]:
        """Return the place in the original of a part of the normal form."""
        return self.starts[start], self.ends[end - 1]


def mask(text: str, *, region: str) -> Masked:
    """Return the text with contact details hidden. ``region``: the country of numbers without a country code."""
    normal = normalize(text)
    spans = list(_addresses(normal.text, text, normal))
    spans += [normal.in_original(*span) for span in _phones(normal.text, region)]
    if not spans:
        return Masked(text, is_masked=False)
    return Masked(without(text, spans), is_masked=True)


def normalize(text: str) -> Normal:
    """Return the normal form of a text."""
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for place, character in enumerate(text):
        plain = _plain(character)
        if not plain and ends:
            ends[-1] = place + 1
        characters.extend(plain)
        starts.extend([place] * len(plain))
        ends.extend([place + 1] * len(plain))
    return _without_spaces(Normal("".join(characters), starts, ends))


def _without_spaces(normal: Normal) -> Normal:
    """Return the normal form with words that are spelled letter by letter written as words: "n i n e" as "nine"."""
    left_out = {
        place
        for found in SPACED.finditer(normal.text)
        for place in range(found.start(), found.end())
        if normal.text[place] == " "
    }
    if not left_out:
        return normal
    kept = [place for place in range(len(normal.text)) if place not in left_out]
    return Normal(
        "".join(normal.text[place] for place in kept),
        [normal.starts[place] for place in kept],
        [normal.ends[place] for place in kept],
    )


def _plain(character: str) -> str:
    """Return the character in the normal form: nothing for invisible ones, ASCII for the digits of every script."""
    if character.isascii():
        return character.lower()
    category = unicodedata.category(character)
    if category in ("Cf", "Me") or IGNORABLE.match(character) or ACCENT.match(character):  # joiners, keycaps, fillers
        return ""
    number = unicodedata.numeric(character, None)  # also Roman and Chinese ones
    if number is not None and number in range(10):
        return str(int(number))
    if character == TEN:
        return "10"
    if category == "Zs":
        return " "
    return unicodedata.normalize("NFKC", character).casefold()


def _addresses(normal_text: str, text: str, normal: Normal) -> Iterator[tuple[int, int]]:
    for pattern in (*ADDRESSES, *HANDLES):
        for found in pattern.finditer(normal_text):
            yield normal.in_original(*found.span())
    for found in SPELLED_HOST.finditer(normal_text):
        yield normal.in_original(*found.span())
    for found in HOST.finditer(normal_text):
        start, end = normal.in_original(*found.span())
        name, _, ending = text[start:end].partition("/")[0].rpartition(".")
        if ending.islower() or ending.lower() not in WORD_ENDINGS or not name[-1:].islower():
            yield start, end


def _phones(text: str, region: str) -> Iterator[tuple[int, int]]:
    """Return where phone numbers are."""
    lookups = [0]
    for chain in chains(set_aside(text)):
        yield from _numbers_in(text, chain, region, lookups)


def set_aside(text: str) -> str:
    """Return the text with harmless numbers replaced by a character that ends every chain, at equal length."""
    for pattern in HARMLESS:
        text = pattern.sub(lambda found: "\0" * len(found[0]), text)
    return text


def _numbers_in(text: str, chain: list[Token], region: str, lookups: list[int]) -> Iterator[tuple[int, int]]:
    """Return the phone numbers in a chain: the longest that begins at each token, from the left."""
    place = 0
    before = text[max(0, chain[0].start - LONGEST_BEFORE) : chain[0].start]
    mobile_only = BEFORE_OTHER_NUMBER.search(before) is not None
    while place < len(chain):
        end = _longest_from(chain, place, region, lookups, mobile_only=mobile_only)
        if end is None:
            place += 1
            continue
        yield _with_sign(text, chain[place].start), chain[end].end
        place = end + 1


def _with_sign(text: str, start: int) -> int:
    """Return where the number begins with the plus or the bracket before it."""
    return start - 1 if text[start - 1 : start] in ("+", "(") else start


def _longest_from(chain: list[Token], first: int, region: str, lookups: list[int], *, mobile_only: bool) -> int | None:
    if len(chain[first].digits) > LONGEST_AMOUNT:
        return first
    digits, found = "", None
    for place in range(first, len(chain)):
        digits += chain[place].digits
        if len(digits) > MOST_DIGITS:
            break
        if len(digits) < LEAST_DIGITS or (mobile_only and not is_mobile(digits, region)):
            continue
        if _is_number(chain[first : place + 1], digits, region, lookups):
            found = place
    return found


def _is_number(tokens: list[Token], digits: str, region: str, lookups: list[int]) -> bool:
    lookups[0] += 1
    if lookups[0] > MOST_LOOKUPS:
        return True
    if tokens[0].is_international and len(tokens[0].digits) <= MOST_COUNTRY_DIGITS:
        return len(digits) > LEAST_DIGITS or type_of(f"+{digits}", region) is not None
    if sum(token.is_word for token in tokens) * 2 >= len(tokens):
        return True
    kind = type_of(digits, region)
    if kind is None or (len(tokens) > 1 and all(map(is_round, tokens))):
        return False
    return kind == TOLL_FREE or _is_grouped_like_a_number(tokens, digits, is_mobile=kind in MOBILE)


def is_round(token: Token) -> bool:
    """Return whether this looks like an amount without a currency, as both do in "65000-70000"."""
    return len(token.digits) > 2 and int(token.digits) % ROUND == 0


def is_mobile(digits: str, region: str) -> bool:
    """Return whether the digits are a mobile phone number."""
    return type_of(digits, region) in MOBILE


def _is_grouped_like_a_number(tokens: list[Token], digits: str, *, is_mobile: bool) -> bool:
    """Return whether the digits are written as one writes a number, and not as a list of amounts or sizes."""
    sizes = [len(token.digits) for token in tokens]
    if any(token.is_joined for token in tokens[1:]):
        return is_mobile and max(sizes) <= 2
    if any(token.is_listed for token in tokens[1:]):
        return is_mobile and (max(sizes) <= 2 or (len(sizes) <= 3 and min(sizes) >= 3))
    return is_mobile or digits.startswith("0") or len(sizes) <= 2 or sizes == [2, 4, 4] or max(sizes) <= 2


def type_of(digits: str, region: str) -> int | None:
    """Return the type of a phone number, or None if there is no such number."""
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.number_type(number) if phonenumbers.is_valid_number(number) else None


def without(text: str, spans: list[tuple[int, int]]) -> str:
    """Return the text with these parts of it hidden."""
    parts, reached = [], 0
    for start, end in sorted(spans):
        if start >= reached:
            parts += [text[reached:start], HIDDEN]
        reached = max(reached, end)
    return "".join([*parts, text[reached:]])
