"""The keyword chart: horizontal bars, the part that is new today in a second colour."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from .keywords import Keyword
from .phrases import Phrases

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

BARS = 12
WIDTH, LEFT, RIGHT, TOP, ROW = 900, 210, 90, 96, 40
INK, QUIET, BAR, NEW = "#1f2933", "#7b8794", "#9fb3c8", "#d9480f"
# Where a machine usually keeps a font with Hangul, for runs without the platform.
USUAL_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/nanum/NanumGothic.ttf",
    "/System/Library/Fonts/AppleSDGothicNeo.ttc",
    "C:/Windows/Fonts/malgun.ttf",
)


def draw_keywords(path: Path, keywords: list[Keyword], say: Phrases, font_path: str = "") -> None:
    """Writes a PNG. `font_path` "" or unusable: the first usual font, then Pillow's own (without Hangul)."""
    shown = keywords[:BARS]
    font, small = _font(font_path, 20), _font(font_path, 15)
    image = Image.new("RGB", (WIDTH, TOP + ROW * max(len(shown), 1) + 24), "white")
    draw = ImageDraw.Draw(image)
    draw.text((24, 20), say("chart"), INK, _font(font_path, 24))
    draw.rectangle((24, 62, 38, 76), fill=NEW)
    draw.text((46, 60), say("chart_new"), QUIET, small)
    if not shown:
        draw.text((24, TOP), say("no_words"), QUIET, font)
    most = max((word.titles for word in shown), default=1)
    for index, word in enumerate(shown):
        _bar(draw, TOP + index * ROW, word, most, font)
    image.save(path, "PNG", optimize=True)


def _bar(draw: ImageDraw.ImageDraw, top: int, word: Keyword, most: int, font: Font) -> None:
    room = WIDTH - LEFT - RIGHT
    end = LEFT + max(2, room * word.titles // most)
    draw.text((LEFT - 14, top + 13), _fit(draw, word.word, font, LEFT - 38), INK, font, anchor="rm")
    draw.rounded_rectangle((LEFT, top, end, top + 26), 4, fill=BAR)
    if word.new:
        draw.rounded_rectangle((LEFT, top, LEFT + max(2, room * word.new // most), top + 26), 4, fill=NEW)
    draw.text((end + 10, top + 13), str(word.titles), QUIET, font, anchor="lm")


def _fit(draw: ImageDraw.ImageDraw, text: str, font: Font, room: int) -> str:
    cut = text
    while len(cut) > 1 and draw.textlength(cut if cut == text else cut + "…", font) > room:
        cut = cut[:-1]
    return cut if cut == text else cut + "…"


def _font(path: str, size: int) -> Font:
    for choice in filter(None, (path, *USUAL_FONTS)):
        try:
            return ImageFont.truetype(choice, size)
        except OSError:
            continue
    return ImageFont.load_default(size)
