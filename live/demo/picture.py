"""The demo's moving picture: petals falling over a dusk, and the wall clock to the millisecond.

Drawn straight into YUV 4:2:0 planes, with everything that does not change painted once. A strip
of 48 light or dark cells along the top says the same time to a machine: most significant bit
first, milliseconds since the epoch.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

WIDTH: Final = 720
HEIGHT: Final = 1280
CELLS: Final = 48
CELL_WIDTH: Final = WIDTH // CELLS
CELL_HEIGHT: Final = 16
PETALS: Final = 14
DUSK: Final = ((36, 22, 54), (214, 92, 110), (250, 190, 150))
PETAL_COLOURS: Final = ((255, 183, 197), (255, 209, 220), (250, 146, 168))

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Sprite:
    """A small picture with its transparency, as planes of even size."""

    luma: Bytes
    chroma: Bytes
    alpha: NDArray[np.uint16]
    chroma_alpha: NDArray[np.uint16]


class Picture:
    """Draws the picture of any moment; the same moment gives the same picture."""

    def __init__(self) -> None:
        background = _dusk()
        _caption(background)
        self._luma, self._chroma = _planes(np.asarray(background))
        self._petals = [_petal(index) for index in range(PETALS)]
        self._glyphs = {character: _glyph(character) for character in "0123456789:. "}

    def draw(self, time_ms: int, clock: str) -> Bytes:
        """The frame of `time_ms` showing `clock`: uint8, (HEIGHT * 3 / 2, WIDTH), planar 4:2:0."""
        luma, chroma = self._luma.copy(), self._chroma.copy()
        for index, petal in enumerate(self._petals):
            _blend(luma, chroma, petal, *_fall(index, time_ms))
        left = (WIDTH - len(clock) * self._glyphs["0"].luma.shape[1]) // 2 & ~1
        for character in clock:
            glyph = self._glyphs[character]
            _blend(luma, chroma, glyph, left, HEIGHT // 5 & ~1)
            left += glyph.luma.shape[1]
        _write_strip(luma, chroma, time_ms)
        return np.concatenate((luma, chroma.reshape(2 * (HEIGHT // 4), WIDTH)))


def read_strip(luma: Bytes) -> int:
    """The milliseconds that the strip of a decoded luma plane, of any size, says."""
    height, width = luma.shape
    row = luma[int(height * CELL_HEIGHT / HEIGHT / 2)]
    middles = ((np.arange(CELLS) + 0.5) * width / CELLS).astype(int)
    return int("".join("1" if value > 128 else "0" for value in row[middles]), 2)


def _write_strip(luma: Bytes, chroma: Bytes, time_ms: int) -> None:
    shifts = np.arange(CELLS - 1, -1, -1, dtype=np.uint64)
    bits = (np.uint64(time_ms) >> shifts & np.uint64(1)).astype(np.uint8)
    luma[:CELL_HEIGHT] = np.repeat(16 + bits * np.uint8(219), CELL_WIDTH)
    chroma[:, : CELL_HEIGHT // 2] = 128


def _dusk() -> Image.Image:
    stops = np.array(DUSK, dtype=np.float64)
    position = np.linspace(0, len(DUSK) - 1, HEIGHT)
    rows = np.stack([np.interp(position, range(len(DUSK)), stops[:, c]) for c in range(3)], axis=1)
    return Image.fromarray(np.repeat(rows[:, None], WIDTH, axis=1).astype(np.uint8))


def _caption(background: Image.Image) -> None:
    draw = ImageDraw.Draw(background)
    font = ImageFont.load_default(size=64)
    draw.text((WIDTH / 2, HEIGHT / 8), "Kkot", font=font, fill=(255, 240, 240), anchor="mm")


def _petal(index: int) -> Sprite:
    size = 48 + 16 * (index % 3)
    image = Image.new("RGBA", (size * 4, size * 4))
    colour = PETAL_COLOURS[index % len(PETAL_COLOURS)]
    ImageDraw.Draw(image).ellipse((size, 0, size * 3, size * 4 - 1), fill=(*colour, 225))
    turned = image.rotate(360 * index / PETALS, resample=Image.Resampling.BICUBIC)
    return _sprite(turned.resize((size, size), Image.Resampling.LANCZOS))


def _glyph(character: str) -> Sprite:
    font = ImageFont.load_default(size=72)
    width = int(font.getlength("0")) + 5 & ~1
    image = Image.new("RGBA", (width, 88), (255, 255, 255, 0))
    ImageDraw.Draw(image).text((width / 2, 44), character, font=font, fill="white", anchor="mm")
    return _sprite(image)


def _sprite(image: Image.Image) -> Sprite:
    pixels = np.asarray(image)
    luma, chroma = _planes(pixels[..., :3])
    alpha = pixels[..., 3].astype(np.uint16)
    return Sprite(luma, chroma, alpha, alpha[::2, ::2])


def _planes(rgb: Bytes) -> tuple[Bytes, Bytes]:
    """Luma (h, w) and chroma (2, h / 2, w / 2) of 8-bit RGB, by BT.601 in limited range."""
    red, green, blue = np.moveaxis(rgb.astype(np.float64), -1, 0)
    luma = 16 + 0.257 * red + 0.504 * green + 0.098 * blue
    cb = 128 - 0.148 * red - 0.291 * green + 0.439 * blue
    cr = 128 + 0.439 * red - 0.368 * green - 0.071 * blue
    chroma = np.stack((cb[::2, ::2], cr[::2, ::2]))
    return luma.astype(np.uint8), chroma.astype(np.uint8)


def _fall(index: int, time_ms: int) -> tuple[int, int]:
    """Where a petal is: it falls at its own speed and sways at its own pace."""
    phase = index / PETALS
    speed = 0.05 + 0.03 * (index * 7 % 5) / 5
    down = (time_ms * speed + phase * HEIGHT * 3) % (HEIGHT - 96)
    sway = math.sin(time_ms / (900 + 70 * index) + index) * 60
    across = (index * 0.618 % 1) * (WIDTH - 240) + 80 + sway
    return int(across) & ~1, int(down + CELL_HEIGHT) & ~1


def _blend(luma: Bytes, chroma: Bytes, sprite: Sprite, left: int, top: int) -> None:
    height, width = sprite.luma.shape
    _mix(luma[top : top + height, left : left + width], sprite.luma, sprite.alpha)
    rows, columns = slice(top // 2, (top + height) // 2), slice(left // 2, (left + width) // 2)
    _mix(chroma[:, rows, columns], sprite.chroma, sprite.chroma_alpha)


def _mix(under: Bytes, over: Bytes, alpha: NDArray[np.uint16]) -> None:
    under[:] = (under * (255 - alpha) + over * alpha) // 255
