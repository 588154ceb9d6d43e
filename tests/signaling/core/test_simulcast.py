"""Layers offered by rid: taken in order, paused or restricted; everything unsound left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.core import sdp, simulcast
from signaling.core.sdp import Section
from tests.signaling.offers import chromium

PT = 96
RIDS = ("l send", "m send", "h send")


def section(order: str | None, *rids: str) -> Section:
    lines = [f"a=rid:{rid}" for rid in rids]
    if order is not None:
        lines.append(f"a=simulcast:{order}")
    text = "\r\n".join(["v=0", f"m=video 9 UDP/TLS/RTP/SAVPF {PT}", *lines])
    return sdp.parse(text).media[0]


def answer(order: str | None, *rids: str) -> list[str]:
    return simulcast.lines(simulcast.layers(section(order, *rids), PT))


def test_a_browsers_layers() -> None:
    video = sdp.parse(chromium("publish_simulcast")).media[1]
    layers = simulcast.layers(video, 108)
    assert [layer.rid for layer in layers] == ["l", "m", "h"]
    assert simulcast.lines(layers) == [
        "a=rid:l recv",
        "a=rid:m recv",
        "a=rid:h recv",
        "a=simulcast:recv l;m;h",
    ]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("send h;l", "recv h;l"),
        ("send l", "recv l"),
        ("send l;~m;h", "recv l;~m;h"),
        ("send l,m;h", "recv l;h"),
        ("send x,m;h", "recv m;h"),
        ("send x;h", "recv h"),
        ("send l;l,m;h", "recv l;h"),
        ("recv x send l;m", "recv l;m"),
        ("send l;m recv x", "recv l;m"),
        ("send  l;m", "recv l;m"),
        ("send ;;m;", "recv m"),
        ("send ~~l;m", "recv m"),
    ],
)
def test_order(order: str, expected: str) -> None:
    assert answer(order, *RIDS)[-1] == f"a=simulcast:{expected}"


@pytest.mark.parametrize(
    "order", [None, "", "send", "recv l;m", "sendrecv l;m", "send x;y", "l;m", "send: l", "send ;"]
)
def test_what_is_no_simulcast_is_answered_as_none(order: str | None) -> None:
    assert answer(order, *RIDS) == []


@pytest.mark.parametrize(
    ("rid", "expected"),
    [
        ("h send", "a=rid:h recv"),
        ("h send ", "a=rid:h recv"),
        ("h send max-width=1280;max-fps=30", "a=rid:h recv max-width=1280;max-fps=30"),
        ("h send pt=96", "a=rid:h recv pt=96"),
        ("h send pt=97,96;max-br=9", "a=rid:h recv pt=96;max-br=9"),
        ("h send pt=97", None),
        ("h send pt=", None),
        ("h send depend=l", "a=rid:h recv depend=l"),
        ("h send max width=1", None),
        ("h send max-width=1;;max-fps=30", None),
        ("h recv", None),
        ("h sendonly", None),
        ("h", None),
        ("", None),
    ],
)
def test_rids(rid: str, expected: str | None) -> None:
    order = "recv l" if expected is None else "recv l;h"
    rest = [] if expected is None else [expected]
    assert answer("send l;h", "l send", rid) == ["a=rid:l recv", *rest, f"a=simulcast:{order}"]


@pytest.mark.parametrize("rid", ["x" * 16, "a-b_9"])
def test_rids_that_fit_an_extension(rid: str) -> None:
    assert answer(f"send {rid}", f"{rid} send") == [f"a=rid:{rid} recv", f"a=simulcast:recv {rid}"]


@pytest.mark.parametrize("rid", ["x" * 17, "ü", "a.b", "\u0663"])
def test_rids_that_do_not(rid: str) -> None:
    assert answer(f"send {rid};l", f"{rid} send", "l send")[-1] == "a=simulcast:recv l"


def test_a_rid_told_twice_is_none() -> None:
    assert answer("send l;h", "l send", "h send", "h send max-fps=1")[-1] == "a=simulcast:recv l"


def test_more_layers_than_are_taken() -> None:
    names = [str(n) for n in range(simulcast.LAYERS_MOST + 1)]
    lines = answer("send " + ";".join(names), *(f"{name} send" for name in names))
    assert lines[-1] == "a=simulcast:recv " + ";".join(names[:-1])
    assert len(lines) == simulcast.LAYERS_MOST + 1


words = st.text(st.sampled_from("lmh~,; =-send9pt\u0663"), max_size=24)


@given(words.map("send ".__add__), st.lists(words, max_size=3), st.permutations(RIDS))
def test_any_answer_is_part_of_its_offer(order: str, odd: list[str], rids: list[str]) -> None:
    offered = section(order, *odd, *rids)
    layers = simulcast.layers(offered, PT)
    names = [layer.rid for layer in layers]
    assert len(names) == len(set(names)) <= simulcast.LAYERS_MOST
    assert all(any(rid.startswith(f"{name} ") for rid in (*odd, *rids)) for name in names)
    answered = [line.partition(":")[2] for line in simulcast.lines(layers)]
    read = section(answered[-1] if answered else None, *answered[:-1])
    turned = {f"{layer.rid} recv {layer.restrictions}".strip() for layer in layers}
    assert set(read.all("rid")) == turned
