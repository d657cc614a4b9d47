"""The images of a wish or a message, as they go with a request."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import cast

from vibedesk.engine.builder.project_access import ProjectAccess
from vibedesk.engine.models.prompt_files import fill
from vibedesk.engine.models.protocol import ImagePart, ImageType, ModelRequest
from vibedesk.engine.store.attachments import AttachmentStore

OF_THE_WISH = ""
"""Stands for the id of a message in `images_of`."""
_MOST = 16
"""More images than this in one request cost more than they tell; the newest are taken."""


async def images_of(access: ProjectAccess, messages: Collection[str]) -> tuple[ImagePart, ...]:
    """Return the images of these messages, oldest first.

    Raises:
        NotFoundError: the content of one was lost.
    """

    def read() -> tuple[ImagePart, ...]:
        records = [
            record
            for record in AttachmentStore(access.project_id).all()
            if record.message in messages
        ]
        return tuple(
            ImagePart(
                cast(ImageType, record.media_type), access.files.blobs.get(record.blob), record.name
            )
            for record in records[-_MOST:]
        )

    return await access.read(read)


def with_images(
    request: ModelRequest, images: Sequence[ImagePart], *, reference: bool = False
) -> ModelRequest:
    """Return the request with images on its last turn, and a sentence that says whose they are.

    Args:
        request: Ends with a turn of the person.
        images: None leave the request as it is.
        reference: They came with the wish, long before what is asked now.
    """
    if not images:
        return request
    *before, last = request.messages
    names = ", ".join(image.name for image in images)
    words = (
        fill("tasks/pictures_for_reference", names=names)
        if reference
        else fill("tasks/pictures", amount=_counted(len(images)), names=names)
    )
    text = f"{last.text.rstrip()}\n\n{words}"
    asked = dataclasses.replace(last, text=text, images=(*last.images, *images))
    return dataclasses.replace(request, messages=(*before, asked))


def _counted(number: int) -> str:
    return "a picture" if number == 1 else f"{number} pictures"
