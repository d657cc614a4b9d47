"""Images from people: what is kept of them is upright, small and readable everywhere."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vibedesk.base.errors import InvalidInputError
from vibedesk.engine.attachments import (
    MAX_BYTES,
    MAX_EDGE,
    MAX_KEPT_BYTES,
    PreparedImage,
    fitted,
    prepare_image,
)
from vibedesk.engine.project_options import ImageFile

ORIENTATION = 0x0112


def written(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def prepared(data: bytes, name: str = "picture.png") -> tuple[PreparedImage, Image.Image]:
    result = prepare_image(ImageFile(name, data))
    opened = Image.open(io.BytesIO(result.data))
    opened.load()
    assert Image.MIME[opened.format or ""] == result.media_type
    assert result.media_type in ("image/png", "image/jpeg", "image/webp", "image/gif")
    assert opened.size == (result.width, result.height)
    assert len(result.data) <= MAX_KEPT_BYTES
    return result, opened


@given(st.integers(1, 40_000), st.integers(1, 40_000))
def test_fitting_never_enlarges_and_keeps_the_ratio(width: int, height: int) -> None:
    small_width, small_height = fitted(width, height)
    assert 1 <= small_width <= min(width, MAX_EDGE)
    assert 1 <= small_height <= min(height, MAX_EDGE)
    scale = min(1.0, MAX_EDGE / max(width, height))
    assert abs(small_width - width * scale) <= 1
    assert abs(small_height - height * scale) <= 1


@given(
    st.tuples(st.integers(1, 2000), st.integers(1, 60)),
    st.booleans(),
    st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"]),
)
def test_any_picture_is_kept_within_the_limits(
    size: tuple[int, int], upright: bool, form: str
) -> None:
    size = size if upright else (size[1], size[0])
    _, image = prepared(written(Image.new("RGB", size, "teal"), form))
    assert image.size == fitted(*size)


@pytest.mark.parametrize(
    ("image", "form", "mode"),
    [
        (Image.new("CMYK", (30, 20), (0, 200, 200, 0)), "JPEG", "RGB"),
        (Image.new("LA", (30, 20), (90, 128)), "PNG", "RGBA"),
        (Image.new("1", (30, 20)), "PNG", "RGB"),
        (Image.new("RGBA", (30, 20), (255, 0, 0, 10)), "WEBP", "RGBA"),
        (Image.new("L", (30, 20), 77), "GIF", "RGB"),
    ],
)
def test_every_colour_system_becomes_one_that_models_read(
    image: Image.Image, form: str, mode: str
) -> None:
    _, kept = prepared(written(image, form))
    assert kept.mode == mode


def test_a_palette_with_transparency_stays_transparent() -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([255, 255, 255, 200, 30, 30])
    image.putpixel((0, 0), 0)
    _, kept = prepared(written(image, "PNG", transparency=0))
    assert kept.getpixel((0, 0))[3] == 0  # type: ignore[index]
    assert kept.getpixel((2, 2)) == (200, 30, 30, 255)


def test_deep_greys_are_not_cut_off() -> None:
    _, kept = prepared(written(Image.new("I;16", (8, 8), 0x8000), "PNG"))
    assert kept.getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_camera_says(orientation: int) -> None:
    image = Image.new("RGB", (64, 32), "white")
    image.paste("red", (0, 0, 16, 16))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    result, kept = prepared(written(image, "PNG", exif=exif))
    assert (result.width > result.height) is (orientation <= 4)
    corners = {
        1: (0, 0),
        2: (1, 0),
        3: (1, 1),
        4: (0, 1),
        5: (0, 0),
        6: (1, 0),
        7: (1, 1),
        8: (0, 1),
    }
    across, down = corners[orientation]
    assert kept.getpixel((across * (kept.width - 1), down * (kept.height - 1))) == (255, 0, 0)
    assert not kept.getexif()


def test_of_an_animation_the_first_picture_is_taken() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    data = written(frames[0], "GIF", save_all=True, append_images=frames[1:])
    _, kept = prepared(data)
    assert getattr(kept, "n_frames", 1) == 1
    assert kept.convert("RGB").getpixel((5, 5)) == (255, 0, 0)


def test_the_content_counts_not_the_name() -> None:
    result, _ = prepared(written(Image.new("RGB", (9, 9)), "JPEG"), "C:\\pics\\shot.png")
    assert (result.name, result.media_type) == ("shot.png", "image/jpeg")


def test_a_noisy_picture_is_made_small_enough() -> None:
    noise = Image.effect_noise((1568, 1568), 120)
    _, kept = prepared(written(Image.merge("RGB", [noise] * 3), "PNG"))
    assert kept.size == (1568, 1568)


def bomb() -> bytes:
    """Return a small PNG that says it has 50,000 × 50,000 pixels."""
    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 100_000)
    pieces = [(b"IHDR", head), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in pieces
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
        (written(Image.new("RGB", (300, 300), "red"), "BMP"), "no picture"),
        (written(Image.new("RGB", (300, 300), "red"), "PNG")[:200], "damaged"),
        (written(Image.effect_noise((200, 200), 50), "JPEG")[:1500], "damaged"),
        (written(Image.effect_noise((200, 200), 50), "WEBP")[:1500], "damaged"),
        (b"\0" * (MAX_BYTES + 1), "20 MB"),
        (bomb(), "too many pixels"),
    ],
)
def test_what_cannot_be_used_is_said_by_name(data: bytes, words: str) -> None:
    with pytest.raises(InvalidInputError, match=r"holiday\.jpg") as caught:
        prepare_image(ImageFile("holiday.jpg", data))
    assert words in str(caught.value)
    assert caught.value.remedy
