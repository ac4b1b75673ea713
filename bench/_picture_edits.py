"""Eighteen things that people do to a picture of somebody else's before they post it again, and pages around them."""

import io
import random
from collections.abc import Callable, Sequence
from typing import Final

from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

Picture = Image.Image
Edit = Callable[[Picture, random.Random, Sequence[Picture]], Picture]
"""From an original, chance, and other pictures, of which a collage takes three."""

_COMMON: Final = """
the a of to and in it is was that for on with as at this but they have from had we when there can more an your
which one you were all her she would their been has who will no if out so said what up its about than into them
only other new some could time these two may then do first any my now such like our over man me even most made
after also did many before must through years where much way well down should because each just those people
state too little good very make world still own see men work long get here between both life being under never
day same another know while last might us great old year off come since against go came right used take three
coffee morning garden train rain bicycle kitchen window summer letter market river music ticket winter bread
"""
WORDS: Final = _COMMON.split()


def jpeg(picture: Picture, quality: int = 85) -> Picture:
    """The picture after it was saved as JPEG."""
    held = io.BytesIO()
    picture.convert("RGB").save(held, "JPEG", quality=quality)
    return Image.open(held).convert("RGB")


def _resized(picture: Picture, size: float) -> Picture:
    width, height = (max(1, round(side * size)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _cropped(share: float) -> Edit:
    """Takes off a share of the height and of the width, at any place."""

    def edit(picture: Picture, chance: random.Random, _: Sequence[Picture]) -> Picture:
        width, height = picture.size
        across, down = round(width * share), round(height * share)
        left, top = chance.randint(0, across), chance.randint(0, down)
        return picture.crop((left, top, left + width - across, top + height - down))

    return edit


def sentence(chance: random.Random, words: int) -> str:
    """Some words."""
    said = [chance.choice(WORDS) for _ in range(words)]
    return " ".join(said).capitalize() + "."


def _overlay(picture: Picture, chance: random.Random, _: Sequence[Picture]) -> Picture:
    """Two lines of large white text with a black edge, one at the top and one at the bottom, as memes have."""
    made = picture.copy()
    draw = ImageDraw.Draw(made)
    size = max(12, made.width // 12)
    font = ImageFont.load_default(size)
    for at in (0.03, 0.97 - size * 1.2 / made.height):
        text = sentence(chance, 3).upper()[:22]
        left = (made.width - draw.textlength(text, font)) / 2
        edge = max(1, size // 14)
        draw.text((left, made.height * at), text, "white", font, stroke_width=edge, stroke_fill="black")
    return made


def _border(picture: Picture, chance: random.Random, _: Sequence[Picture]) -> Picture:
    colour = chance.choice(["white", "black", "#d8c9b0", "#30506a"])
    return ImageOps.expand(picture, round(max(picture.size) * 0.08), colour)


def _phone(picture: Picture, chance: random.Random, _: Sequence[Picture]) -> Picture:
    """A phone's screen that shows the picture between bars: clock and icons above, three buttons below."""
    dark = chance.random() < 0.7
    page = Image.new("RGB", (720, 1480), "black" if dark else "white")
    shown = ImageOps.contain(picture, (720, 1200))
    page.paste(shown, (0, (1480 - shown.height) // 2))
    draw = ImageDraw.Draw(page)
    ink = "white" if dark else "black"
    draw.text((40, 20), f"{chance.randint(0, 23)}:{chance.randint(10, 59)}", ink, ImageFont.load_default(30))
    draw.rectangle((620, 26, 670, 48), outline=ink, width=3)
    for left in (150, 350, 550):
        draw.ellipse((left, 1420, left + 32, 1452), outline=ink, width=3)
    return page


def _collage(gap: int) -> Edit:
    """Four pictures in a square, cut to squares, with or without gaps between them."""

    def edit(picture: Picture, chance: random.Random, others: Sequence[Picture]) -> Picture:
        four = [picture, *chance.sample(others, 3)]
        chance.shuffle(four)
        page = Image.new("RGB", (640 + 3 * gap, 640 + 3 * gap), "white")
        for place, each in enumerate(four):
            tile = ImageOps.pad(each, (320, 320), color="white") if gap else ImageOps.fit(each, (320, 320))
            page.paste(tile, (gap + place % 2 * (320 + gap), gap + place // 2 * (320 + gap)))
        return page

    return edit


def post(chance: random.Random, picture: Picture | None, *, tall: bool, words: int = 30) -> Picture:
    """A screenshot of a post in one look: a head with an avatar and a name, text, maybe a picture, three buttons."""
    dark = chance.random() < 0.5
    ground, ink, pale = ("#15202b", "#e7e9ea", "#8899a6") if dark else ("white", "#0f1419", "#536471")
    width = 600
    text, line = [], ""
    font = ImageFont.load_default(24)
    draw = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    for word in sentence(chance, words).split():
        if draw.textlength(f"{line} {word}", font) > width - 40:
            text.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    text.append(line)
    shown = None if picture is None else ImageOps.contain(picture, (width - 40, 520))
    height = 110 + 34 * len(text) + (0 if shown is None else shown.height + 20) + 70
    page = Image.new("RGB", (width, max(height, 1250) if tall else height), ground)
    draw = ImageDraw.Draw(page)
    draw.ellipse((20, 20, 80, 80), fill=f"hsl({chance.randint(0, 359)}, 60%, 50%)")
    draw.text((96, 20), " ".join(chance.sample(WORDS, 2)).title(), ink, ImageFont.load_default(24))
    draw.text((96, 52), f"@{chance.choice(WORDS)}{chance.randint(1, 99)}", pale, ImageFont.load_default(20))
    for at, each in enumerate(text):
        draw.text((20, 100 + 34 * at), each, ink, font)
    top = 110 + 34 * len(text)
    if shown is not None:
        page.paste(shown, ((width - shown.width) // 2, top))
        top += shown.height + 20
    for left in (30, 220, 410):
        draw.ellipse((left, top + 10, left + 30, top + 40), outline=pale, width=3)
        draw.text((left + 44, top + 10), str(chance.randint(1, 999)), pale, ImageFont.load_default(22))
    return page


def _in_post(picture: Picture, chance: random.Random, _: Sequence[Picture]) -> Picture:
    return post(chance, picture, tall=chance.random() < 0.5, words=chance.randint(8, 30))


def _sepia(picture: Picture, _: random.Random, __: Sequence[Picture]) -> Picture:
    return ImageOps.colorize(ImageOps.grayscale(picture), "#2b1a08", "#fff0d0", mid="#a07850")


EDITS: Final[dict[str, Edit]] = {
    "resize 50 %": lambda picture, _, __: _resized(picture, 0.5),
    "to 240 px": lambda picture, _, __: _resized(picture, 240 / max(picture.size)),
    "JPEG q30": lambda picture, _, __: jpeg(picture, 30),
    "crop 5 %": _cropped(0.05),
    "crop 10 %": _cropped(0.10),
    "crop 25 %": _cropped(0.25),
    "mirror": lambda picture, _, __: ImageOps.mirror(picture),
    "rotate 90": lambda picture, chance, _: picture.rotate(chance.choice([90, 270]), expand=True),
    "border 8 %": _border,
    "phone screenshot": _phone,
    "text overlay": _overlay,
    "brightness +35 %": lambda picture, _, __: ImageEnhance.Brightness(picture).enhance(1.35),
    "contrast +50 %": lambda picture, _, __: ImageEnhance.Contrast(picture).enhance(1.5),
    "sepia": _sepia,
    "collage of 4, padded": _collage(16),
    "collage of 4, cut square": _collage(0),
    "in a post's screenshot": _in_post,
    "mirror + q30 + overlay": lambda picture, chance, others: jpeg(
        _overlay(ImageOps.mirror(picture), chance, others), 30
    ),
}
"""By name; every result is saved as JPEG of quality 85 besides."""
