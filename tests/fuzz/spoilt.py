"""Messages spoilt in small ways, which reach further into a reader than random bytes do."""

from collections.abc import Sequence

from hypothesis import strategies as st


@st.composite
def spoilt(draw: st.DrawFn, sound: Sequence[bytes]) -> bytes:
    """One of the sound messages with a few bytes changed, taken out, put in, or cut off."""
    message = bytearray(draw(st.sampled_from(sound)))
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(message)))
        match draw(st.sampled_from(("change", "remove", "insert", "cut", "double"))):
            case "change" if at < len(message):
                message[at] = draw(st.integers(0, 255))
            case "remove":
                del message[at : at + draw(st.integers(1, 8))]
            case "insert":
                message[at:at] = draw(st.binary(max_size=8))
            case "cut":
                del message[at:]
            case _:
                message += message[at : at + 200]
    return bytes(message)


def any_bytes(sound: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Random bytes, or a spoilt message."""
    return st.binary(max_size=1_600) | spoilt(sound)
