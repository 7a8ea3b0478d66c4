"""Photos of the demo's requests, drawn with Pillow: a washbasin that leaks, or no longer does."""

import random
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw

from backend.domain.documents.inspection import InspectedPicture

WIDTH, HEIGHT = 1200, 900
THUMB: Final = (400, 300)
WALLS: Final = ((203, 217, 214), (222, 211, 190), (206, 204, 218), (196, 214, 196))
TILE: Final = 150


def scene(dice: random.Random, *, is_mended: bool) -> InspectedPicture:
    """Return a photo in both sizes. It is drawn here, so it is not inspected."""
    wall = dice.choice(WALLS)
    image = Image.new("RGB", (WIDTH, HEIGHT), wall)
    draw = ImageDraw.Draw(image)
    grout = _mixed(wall, 0.88)
    for across in range(0, WIDTH, TILE):
        draw.line((across, 0, across, HEIGHT), fill=grout, width=5)
    for down in range(0, HEIGHT, TILE):
        draw.line((0, down, WIDTH, down), fill=grout, width=5)
    middle = WIDTH // 2 + dice.randrange(-120, 120)
    draw.rounded_rectangle((middle - 260, 380, middle + 260, 470), radius=40, fill=(246, 246, 242))
    draw.pieslice((middle - 230, 300, middle + 230, 640), 0, 180, fill=(232, 232, 228))
    draw.rectangle((middle - 24, 250, middle + 24, 400), fill=(160, 166, 172))
    draw.rounded_rectangle((middle - 24, 240, middle + 130, 286), radius=22, fill=(176, 182, 188))
    draw.rectangle((middle - 20, 630, middle + 20, 800), fill=(150, 154, 158))
    if is_mended:
        draw.ellipse((middle + 96, 286, middle + 124, 300), fill=(120, 126, 132))
    else:
        for drop in range(dice.randrange(3, 7)):
            top = 300 + drop * 24
            draw.ellipse((middle + 100, top, middle + 116, top + 20), fill=(92, 150, 196))
        draw.ellipse((middle - 190, 800, middle + 210, 862), fill=(122, 168, 204))
    return InspectedPicture(_encoded(image, image.size), _encoded(image, THUMB), WIDTH, HEIGHT)


def _mixed(colour: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    red, green, blue = (int(part * share) for part in colour)
    return red, green, blue


def _encoded(image: Image.Image, size: tuple[int, int]) -> bytes:
    target = BytesIO()
    image.resize(size, Image.Resampling.LANCZOS).save(target, "WEBP", quality=80)
    return target.getvalue()
