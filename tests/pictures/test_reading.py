"""Pictures go through processes that can be lost, and come back in order."""

import io

from PIL import Image

from demur.pictures.reading import Picture, Readers, Unread
from demur.terms import PictureReason


def jpeg(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((width, height), 40).convert("RGB").save(file, "JPEG")
    return file.getvalue()


def test_pictures_come_back_small_and_in_order() -> None:
    with Readers(2) as readers:
        big, empty, page, small = readers.read([jpeg(1600, 1200), b"", b"<html>", jpeg(90, 120)])
    assert isinstance(big, Picture)
    assert (big.width, big.height, big.thumbnail_width, big.thumbnail_height) == (1024, 768, 256, 192)
    assert isinstance(small, Picture)
    assert (small.width, small.height, len(small.thumbnail)) == (90, 120, 90 * 120)
    assert empty == Unread(PictureReason.UNREADABLE, "it is empty")
    assert page == Unread(PictureReason.UNREADABLE, "it is no JPEG, PNG, WebP, GIF or HEIC")
