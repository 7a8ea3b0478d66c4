"""Names in messengers and social networks, by which two people find each other: "insta: ravi.k", "@ravi_k on Telegram".

The patterns are for texts in the normal form of ``masking``. A plain word beside the name of a network is usually about
the network ("the Telegram group"), so that it counts as a name only after a colon, an "@" or a word such as "id";
otherwise it has to look like a name, with a digit, a dot or an underscore in it.
"""

import re
from typing import Final

_NETWORKS: Final = (
    r"telegram|tg|insta|instagram|ig|snapchat|facebook|fb|skype|twitter|discord|wechat|viber|linkedin|whats\s?app|"
    r"टेलीग्राम|इंस्टा|इंस्टाग्राम|स्नैपचैट|फेसबुक|ट्विटर|(?:व्हाट्स|वाट्स)\s?(?:एप|ऐप|अप)"
)
_AMBIGUOUS: Final = r"snap|signal|threads|messenger|x"  # other things too
_NETWORK: Final = rf"(?<![\w.])(?:{_NETWORKS})(?![\w])"
_ANY_NETWORK: Final = rf"(?<![\w.])(?:{_NETWORKS}|{_AMBIGUOUS})(?![\w])"
_ID: Final = r"(?:id|handle|user\s?name|आईडी|आइडी|हैंडल)"
_ACCOUNT: Final = r"(?:id|handle|user\s?name|user|account|profile|आईडी|आइडी|हैंडल|अकाउंट)"
_ON: Final = r"(?:on|in|at|par|pe|पर|पे|में)"
_IS: Final = r"(?:is|hai|है|as)"
_NOT_NAMES: Final = (
    r"(?!(?:yes|no|not|none|na|nahi|haan|ok|okay|is|are|was|the|a|an|and|or|my|your|our|it|only|just|works?|please|i|we|"
    r"well|too|also|for|to|on|in|at|me|us|you|him|her|them|this|that|same|any|some|if|but|so|here|there|नहीं|हाँ|पर)\b)"
)
_NAME: Final = rf"{_NOT_NAMES}[a-z][\w.]{{2,29}}(?<!\.)(?!\w)"
_LOOKS_LIKE_NAME: Final = r"(?!v\d)(?=[\w.]{0,29}(?:[_\d]|\.\w))[a-z][\w.]{2,29}(?<!\.)(?!\w)"
_START: Final = r"(?<![\w.@+-])"  # each word is tried once

HANDLES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # "@" and a name: of any form beside a network, else of the form that names have there
        rf"{_START}@{_LOOKS_LIKE_NAME}",
        rf"{_ANY_NETWORK}(?:\s{_ACCOUNT}\b)?(?:\s?[:=-]|\s(?:{_IS}|{_ON})\b)?\s?@{_NAME}",
        rf"{_START}@{_NAME}\s(?:{_ON}\s)?{_ANY_NETWORK}",
        # A name after the network
        rf"{_ANY_NETWORK}\s{_ID}(?:\s?[:=-]|\s{_IS}\b)\s?{_NAME}",
        rf"{_ANY_NETWORK}\s{_ACCOUNT}(?:\s?[:=-]|\s{_IS}\b)?\s?{_LOOKS_LIKE_NAME}",
        rf"{_NETWORK}(?:\s?[:=]|\sas\b)\s?{_NAME}",
        rf"{_ANY_NETWORK}\s?[:=-]\s?{_LOOKS_LIKE_NAME}",
        rf"{_NETWORK}(?:\s(?:{_IS}|{_ON}))?\s{_LOOKS_LIKE_NAME}",
        # A name before the network
        rf"{_START}{_LOOKS_LIKE_NAME}\s(?:{_ON}\s)?{_NETWORK}",
        rf"\b(?:search|follow|add|ping|dm|find)\s{_NAME}\s{_ON}\s{_NETWORK}",
    )
)
