"""Pictures: made small, stripped, and refused before they cost."""

import io
import struct
import zlib

import pytest
from PIL import Image

from cart.adapters.pictures import JPEG_LIMIT_PIXELS, encode
from cart.errors import UnsupportedPicture


def picture(
    size: tuple[int, int], kind: str = "PNG", mode: str = "RGB", **options: object
) -> bytes:
    """An encoded picture of one colour."""
    out = io.BytesIO()
    Image.new(mode, size, 0 if mode in "LP1" else tuple([200] * len(mode))).save(
        out, kind, **options
    )
    return out.getvalue()


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header promises what its few bytes do not hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\x00" * 100)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def opened(jpeg: bytes) -> Image.Image:
    """The picture, decoded."""
    image = Image.open(io.BytesIO(jpeg))
    image.load()
    return image


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *(("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("WEBP", "RGB"), ("WEBP", "RGBA")),
        *(("PNG", "RGBA"), ("PNG", "LA"), ("PNG", "P"), ("PNG", "1")),
    ],
)
async def test_pictures_become_small_jpegs(kind: str, mode: str) -> None:
    made = await encode(picture((1600, 400), kind, mode))
    image = opened(made.jpeg)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (800, 200))
    assert (await encode(picture((1600, 400), kind, mode))).etag == made.etag


async def test_small_pictures_stay_small_and_transparent_ones_turn_white() -> None:
    clear = io.BytesIO()
    Image.new("RGBA", (10, 20), (0, 0, 0, 0)).save(clear, "PNG")
    image = opened((await encode(clear.getvalue())).jpeg)
    assert image.size == (10, 20)
    assert image.getpixel((5, 5)) == (255, 255, 255)


async def test_pictures_stand_upright_and_lose_their_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "a phone with a name"
    made = await encode(picture((40, 20), "JPEG", exif=exif))
    assert opened(made.jpeg).size == (20, 40)
    assert b"a phone with a name" not in made.jpeg


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not a picture",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF89a" + bytes(40),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        picture((50, 50))[:60],
        picture((50, 50), "JPEG")[:300],
        picture((20, 20), "GIF", "P"),
        picture((20, 20), "BMP"),
        png_of(50_000, 50_000),
        png_of(5_000, 5_000),
        png_of(0, 10),
        png_of(2**31 - 1, 2**31 - 1),
        png_of(300, 300),
        b"RIFF" + bytes(4) + b"WEBPVP8 " + bytes(20),
    ],
)
async def test_what_is_no_picture_is_refused(body: bytes) -> None:
    with pytest.raises(UnsupportedPicture):
        await encode(body)


def test_jpegs_may_be_as_large_as_phones_make_them() -> None:
    assert JPEG_LIMIT_PIXELS > 48_000_000
