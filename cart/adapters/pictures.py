"""Product pictures: whatever a phone sends becomes a small JPEG, or is refused before it costs.

A picture's size is read from its header before any pixel is decoded, so a few bytes that unpack
to gigabytes are refused. Metadata (places, serial numbers) does not survive.
"""

import asyncio
import hashlib
import io
import warnings
from typing import Final

from PIL import Image, ImageOps

from cart.errors import UnsupportedPicture
from cart.ports.shelf import Picture

BODY_LIMIT_BYTES: Final = 8 * 1024 * 1024
JPEG_LIMIT_PIXELS: Final = 50_000_000
"""A JPEG decodes at a fraction of its size, so it may be larger than the others."""

OTHER_LIMIT_PIXELS: Final = 16_000_000
EDGE_LIMIT_PIXELS: Final = 800
QUALITY: Final = 82
FORMATS: Final = ("JPEG", "PNG", "WEBP")


async def encode(body: bytes) -> Picture:
    """Make a picture of an upload, in a thread; raises `UnsupportedPicture`."""
    return await asyncio.to_thread(encode_now, body)


def encode_now(body: bytes) -> Picture:
    """Make a picture of an upload; raises `UnsupportedPicture`."""
    try:
        with warnings.catch_warnings(action="ignore"):
            jpeg = _encode(body)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise UnsupportedPicture("not a JPEG, PNG or WebP picture") from error
    return Picture(jpeg, hashlib.sha256(jpeg).hexdigest()[:16])


def _encode(body: bytes) -> bytes:
    with Image.open(io.BytesIO(body), formats=FORMATS) as image:
        limit = JPEG_LIMIT_PIXELS if image.format == "JPEG" else OTHER_LIMIT_PIXELS
        if image.width * image.height > limit:
            raise UnsupportedPicture(f"more than {limit} pixels")
        image.draft("RGB", (EDGE_LIMIT_PIXELS, EDGE_LIMIT_PIXELS))
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((EDGE_LIMIT_PIXELS, EDGE_LIMIT_PIXELS))
        out = io.BytesIO()
        _on_white(upright).save(out, "JPEG", quality=QUALITY, optimize=True)
        return out.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    paper = Image.new("RGB", layer.size, "white")
    paper.paste(layer, mask=layer.getchannel("A"))
    return paper
