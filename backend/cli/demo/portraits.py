"""Portraits for the demo's professionals, drawn with Pillow: faces that nobody has."""

import random
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw

from backend.domain.documents.inspection import InspectedPhoto

SIDE: Final = 1280  # drawn at twice the size, so that edges become smooth
LARGE, SMALL = 640, 160
WALLS: Final = ((214, 228, 229), (236, 226, 208), (222, 214, 232), (210, 226, 210), (238, 216, 208))
SKINS: Final = ((141, 85, 54), (172, 112, 74), (198, 134, 90), (110, 66, 44))
HAIRS: Final = ((30, 24, 22), (56, 38, 30), (96, 92, 90))
SHIRTS: Final = ((38, 84, 124), (150, 62, 44), (52, 110, 84), (94, 76, 130), (190, 138, 50))


def portrait(dice: random.Random) -> InspectedPhoto:
    """Return a portrait in both sizes. It is drawn here, so it is not inspected."""
    wall, skin, hair, shirt = (dice.choice(colours) for colours in (WALLS, SKINS, HAIRS, SHIRTS))
    image = Image.new("RGB", (SIDE, SIDE), wall)
    draw = ImageDraw.Draw(image)
    middle, width = SIDE // 2, dice.randrange(190, 225)
    has_long_hair = dice.random() < 0.45
    if has_long_hair:
        draw.rounded_rectangle((middle - width - 45, 290, middle + width + 45, 1040), radius=240, fill=hair)
    draw.ellipse((middle - 430, 900, middle + 430, 1800), fill=shirt)
    draw.rounded_rectangle((middle - 90, 760, middle + 90, 1000), radius=80, fill=_darker(skin))
    draw.ellipse((middle - width - 25, 560, middle - width + 45, 680), fill=_darker(skin))
    draw.ellipse((middle + width - 45, 560, middle + width + 25, 680), fill=_darker(skin))
    draw.ellipse((middle - width, 330, middle + width, 880), fill=skin)
    draw.pieslice((middle - width - 22, 290, middle + width + 22, 830), 180, 360, fill=hair)
    draw.ellipse((middle - width + 18, 440, middle + width - 18, 760), fill=skin)
    for side in (-1, 1):
        eye = middle + side * 85
        draw.ellipse((eye - 20, 560, eye + 20, 604), fill=(250, 248, 244))
        draw.ellipse((eye - 13, 566, eye + 13, 598), fill=(34, 26, 22))
        draw.arc((eye - 46, 512, eye + 46, 580), 200, 340, fill=hair, width=12)
    draw.line((middle, 610, middle - 14, 676, middle + 12, 680), fill=_darker(skin), width=9, joint="curve")
    draw.arc((middle - 80, 650, middle + 80, 772), 25, 155, fill=(120, 44, 40), width=13)
    if not has_long_hair and dice.random() < 0.4:
        draw.chord((middle - 96, 690, middle + 96, 716), 180, 360, fill=hair)
    return InspectedPhoto(_encoded(image, LARGE), _encoded(image, SMALL))


def _darker(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    red, green, blue = (part * 85 // 100 for part in colour)
    return red, green, blue


def _encoded(image: Image.Image, side: int) -> bytes:
    target = BytesIO()
    image.resize((side, side), Image.Resampling.LANCZOS).save(target, "JPEG", quality=84)
    return target.getvalue()
