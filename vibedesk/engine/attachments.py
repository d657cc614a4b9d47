"""Images that a person gives: checked, made small enough for every provider, and kept.

What is kept is always written anew, as PNG or JPEG: that takes out what a camera noted (place, time), the turn that a
viewer would have to make, animation, and colour systems that models do not read.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING

from vibedesk.base.errors import InvalidInputError
from vibedesk.base.text import whole_text
from vibedesk.engine.files.blobs import BlobStore
from vibedesk.engine.project_options import ImageFile
from vibedesk.engine.store.attachments import AttachmentStore
from vibedesk.engine.store.records import AttachmentRecord

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_IMAGES = 8
MAX_BYTES = 20 * 1024 * 1024
MAX_EDGE = 1568
MAX_KEPT_BYTES = 3_500_000
"""In base64 this stays below what every provider takes for one image."""

_MAX_PIXELS = 80_000_000
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_JPEG_QUALITY = 90
"""Even noise of `MAX_EDGE` squared stays below `MAX_KEPT_BYTES` with it."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """An image as it is kept and sent."""

    name: str
    media_type: str
    width: int
    height: int
    data: bytes = field(repr=False)


Keeper = Callable[[str, str], list[AttachmentRecord]]
"""Stores images with a project (its id) and a message (its id; empty: the wish). Runs on the store's thread."""


class Attachments:
    """Prepares and keeps images, beside the event loop."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    async def check(self, images: Sequence[ImageFile], beside: int) -> None:
        """Look whether these images can go with a message that has `beside` others.

        Raises:
            InvalidInputError: there would be too many, or one cannot be used.
        """
        await self._prepared(images, beside)

    async def keep(self, images: Sequence[ImageFile]) -> Keeper:
        """Check and keep the images; return what stores them with a project, in the caller's transaction.

        Raises:
            InvalidInputError: there are too many, or one cannot be used; nothing is kept.
        """
        prepared = await self._prepared(images)
        kept = [(image, await asyncio.to_thread(self._blobs.put, image.data)) for image in prepared]

        def add(project_id: str, message_id: str) -> list[AttachmentRecord]:
            store = AttachmentStore(project_id)
            return [
                store.add(
                    message=message_id,
                    name=image.name,
                    media_type=image.media_type,
                    width=image.width,
                    height=image.height,
                    blob=blob,
                )
                for image, blob in kept
            ]

        return add

    async def _prepared(self, images: Sequence[ImageFile], beside: int = 0) -> list[PreparedImage]:
        if len(images) + beside > MAX_IMAGES:
            raise InvalidInputError(
                f"{len(images) + beside} images are too many for one message.",
                remedy=f"Send at most {MAX_IMAGES}.",
            )
        return [await asyncio.to_thread(prepare_image, image) for image in images]

    def read(self, record: AttachmentRecord) -> bytes:
        """Return what was kept of an attachment; blocks.

        Raises:
            NotFoundError: it was lost.
        """
        return self._blobs.get(record.blob)


def prepare_image(image: ImageFile) -> PreparedImage:
    """Return the image as it is kept: turned upright, at most `MAX_EDGE` pixels long, PNG or JPEG.

    It is read by its content, whatever its name says; of an animation the first picture is taken. It is never enlarged.

    Raises:
        InvalidInputError: it is none of PNG, JPEG, WebP and GIF, too big, or broken.
    """
    name = _plain_name(image.name)
    if len(image.data) > MAX_BYTES:
        raise InvalidInputError(
            f"{name} is bigger than {MAX_BYTES // 1024 // 1024} MB.",
            remedy="Make it smaller, or cut out the part that matters.",
            details={"file": name},
        )
    # Loaded with the first image: the window's start does not wait for it.
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(image.data), formats=_FORMATS) as opened:
            if opened.width * opened.height > _MAX_PIXELS:
                raise _too_many_pixels(name)
            upright = _upright(opened)
            lossy = opened.format == "JPEG"
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(name) from error
    except UnidentifiedImageError as error:
        raise InvalidInputError(
            f"{name} is no picture that can be used.",
            remedy="Save it as PNG, JPEG, WebP or GIF and attach it again.",
            details={"file": name},
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise InvalidInputError(
            f"{name} is damaged or cut off.",
            remedy="Save or download it again, then attach it.",
            details={"file": name, "reason": str(error)},
        ) from error
    media_type, data = _encoded(upright, lossy=lossy)
    return PreparedImage(name, media_type, upright.width, upright.height, data)


def fitted(width: int, height: int) -> tuple[int, int]:
    """Return the size of an image of this size that is not longer than `MAX_EDGE`."""
    scale = min(1.0, MAX_EDGE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _upright(opened: Image) -> Image:
    from PIL import Image, ImageOps

    size = fitted(*opened.size)
    # JPEG can be read at a half, a quarter or an eighth, which saves most of the memory.
    opened.draft(None, size)
    opened.load()
    orientation = opened.getexif().get(0x0112, 1)
    colours = _in_colours(opened).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    if orientation == 1:
        return colours
    exif = Image.Exif()
    exif[0x0112] = orientation
    colours.info["exif"] = exif.tobytes()
    return ImageOps.exif_transpose(colours)


def _in_colours(image: Image) -> Image:
    """Return it as RGB or, where something shows through, RGBA."""
    if image.mode.startswith("I;16"):
        # A conversion would cut off what is above 255.
        return image.point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("RGB")


def _encoded(image: Image, *, lossy: bool) -> tuple[str, bytes]:
    if not lossy:
        data = _saved(image, "PNG")
        if len(data) <= MAX_KEPT_BYTES:
            return "image/png", data
    return "image/jpeg", _saved(_on_white(image), "JPEG", quality=_JPEG_QUALITY)


def _on_white(image: Image) -> Image:
    from PIL import Image

    if image.mode != "RGBA":
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _saved(image: Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    bare = image.copy()
    bare.info.clear()
    bare.save(buffer, form, **options)
    return buffer.getvalue()


def _plain_name(name: str) -> str:
    bare = PurePath(whole_text(name).replace("\\", "/")).name
    plain = _CONTROLS.sub(" ", bare).strip() or "image"
    return plain if len(plain) <= _MAX_NAME else f"…{plain[1 - _MAX_NAME :]}"


def _too_many_pixels(name: str) -> InvalidInputError:
    return InvalidInputError(
        f"{name} has too many pixels.",
        remedy=f"Scale it down to less than {_MAX_PIXELS // 1_000_000} megapixels.",
        details={"file": name},
    )
