"""What the same work costs bare: the loops that no server could do without.

Run in a process of their own (`python -m tests.bench.floor`), which reads its orders as JSON from
standard input, pins itself to the core the server had, and answers one number.
"""

import asyncio
import json
import os
import select
import socket
import sys
import threading
import time
from itertools import cycle
from struct import pack
from typing import Any, Final

import pylibsrtp
from aiortc import RTCCertificate
from OpenSSL import SSL
from pylibsrtp._binding import ffi, lib
from typing_extensions import Buffer

from live.relay.core import rtp
from signaling.adapters.dtls import PROFILES
from signaling.adapters.udp import UDP_SEGMENT
from tests.bench.peers import VIDEO

DATAGRAM_BYTES: Final = 2048
GCM_TAG_BYTES: Final = 16
ROOM_BYTES: Final = 65_536


async def measure(orders: dict[str, Any]) -> float:
    """Run a floor in its own process while this one keeps reading; its figure."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.floor"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate(json.dumps(orders).encode())
    if process.returncode:
        raise RuntimeError("the floor could not be measured")
    return float(out)


async def relay(core: int, batches: list[tuple[int, ...]], viewers: int, seconds: float) -> float:
    """Packets per core-second of a protect + UDP_SEGMENT loop sending these batches to as many
    sockets, which are read meanwhile."""
    loop = asyncio.get_running_loop()
    sinks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(viewers)]
    buffer = bytearray(DATAGRAM_BYTES)

    def drain(sink: socket.socket) -> None:
        try:
            while True:
                sink.recv_into(buffer)
        except BlockingIOError:
            pass  # read empty

    try:
        for sink in sinks:
            sink.setblocking(False)
            sink.bind(("127.0.0.1", 0))
            loop.add_reader(sink, drain, sink)
        ports = [sink.getsockname()[1] for sink in sinks]
        orders = {"floor": "relay", "core": core, "batches": batches, "ports": ports}
        return await measure(orders | {"seconds": seconds})
    finally:
        for sink in sinks:
            loop.remove_reader(sink)
            sink.close()


async def fanout(core: int, frames: list[bytes], sockets: int, tick_s: float) -> float:
    """Frames per core-second of a bare `send` loop over connected sockets, one frame every
    `tick_s`, while they are read."""
    loop = asyncio.get_running_loop()
    buffer = bytearray(ROOM_BYTES)
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener, select.epoll() as epoll:
        listener.setblocking(False)
        sinks: dict[int, socket.socket] = {}

        def accept() -> None:
            sink, _ = listener.accept()
            sink.setblocking(False)
            sinks[sink.fileno()] = sink
            epoll.register(sink.fileno(), select.EPOLLIN)

        def drain() -> None:
            for descriptor, _ in epoll.poll(0, len(sinks)):
                if not sinks[descriptor].recv_into(buffer):
                    epoll.unregister(descriptor)

        loop.add_reader(listener, accept)
        loop.add_reader(epoll.fileno(), drain)
        try:
            orders = {"floor": "fanout", "core": core, "frames": [frame.hex() for frame in frames]}
            port = listener.getsockname()[1]
            return await measure(orders | {"sockets": sockets, "tick_s": tick_s, "port": port})
        finally:
            loop.remove_reader(listener)
            loop.remove_reader(epoll.fileno())
            for sink in sinks.values():
                sink.close()


async def handshakes(core: int, seconds: float) -> float:
    """DTLS handshakes per core-second, the server's half only."""
    return await measure({"floor": "handshakes", "core": core, "seconds": seconds})


def _session() -> pylibsrtp.Session:
    profile = PROFILES[0]
    policy = pylibsrtp.Policy(
        key=os.urandom(profile.key_length + profile.salt_length),
        ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND,
        srtp_profile=profile.libsrtp_profile,
    )
    return pylibsrtp.Session(policy)


def _send_batches(batches: list[list[int]], ports: list[int], seconds: float) -> float:
    sessions = [_session() for _ in ports]
    viewers = [(s._srtp[0], ("127.0.0.1", p)) for s, p in zip(sessions, ports, strict=True)]
    bodies = {size: os.urandom(size - rtp.HEADER_BYTES) for batch in batches for size in batch}
    sendmsg = socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg
    room = ffi.new("char[]", ROOM_BYTES)
    view, length, protect = memoryview(ffi.buffer(room)), ffi.new("int *"), lib.srtp_protect
    turns, sequence, count = cycle(batches), 0, 0
    began, until = time.process_time(), time.monotonic() + seconds
    while time.monotonic() < until:
        batch = next(turns)
        packets = []
        for size in batch:
            packets.append(rtp.header(False, VIDEO, sequence, sequence, 1) + bodies[size])
            sequence += 1
        control: list[tuple[int, int, Buffer]] = []
        if len(batch) > 1:
            segment = pack("=H", batch[0] + GCM_TAG_BYTES)
            control = [(socket.IPPROTO_UDP, UDP_SEGMENT, segment)]
        for context, address in viewers:
            stop = 0
            for packet in packets:
                length[0] = len(packet)
                view[stop : stop + length[0]] = packet
                protect(context, room + stop, length)
                stop += length[0]
            sendmsg([view[:stop]], control, 0, address)
        count += len(packets) * len(viewers)
    return count / (time.process_time() - began)


def _send_frames(frames: list[bytes], sockets: int, tick_s: float, port: int) -> float:
    outward = [socket.create_connection(("127.0.0.1", port)) for _ in range(sockets)]
    sends = [each.send for each in outward]
    for each in outward:
        each.setblocking(False)
    tick, count = threading.Event(), 0
    began = time.process_time()
    for frame in frames:
        for send in sends:
            send(frame)
        count += sockets
        tick.wait(tick_s)
    return count / (time.process_time() - began)


def _shake_hands(seconds: float) -> float:
    certificate = RTCCertificate.generateCertificate()
    ours, theirs = (certificate._create_ssl_context(srtp_profiles=PROFILES) for _ in range(2))
    spent = count = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        spent += _shake_once(ours, theirs)
        count += 1
    return count / (spent / 1e9)


def _shake_once(ours: SSL.Context, theirs: SSL.Context) -> int:
    """Nanoseconds the server's half took."""
    client = SSL.Connection(theirs)
    client.set_connect_state()
    began = time.process_time_ns()
    server = SSL.Connection(ours)
    server.set_accept_state()
    spent = time.process_time_ns() - began
    waiting = [True, True]
    while any(waiting):
        waiting[0] = _advance(client)
        flight = _outgoing(client)
        began = time.process_time_ns()
        for datagram in flight:
            server.bio_write(datagram)
            waiting[1] = _advance(server)
        answer = _outgoing(server)
        spent += time.process_time_ns() - began
        for datagram in answer:
            client.bio_write(datagram)
            waiting[0] = _advance(client)
    return spent


def _advance(side: SSL.Connection) -> bool:
    """Whether it still waits."""
    try:
        side.do_handshake()
    except SSL.WantReadError:
        return True
    return False


def _outgoing(side: SSL.Connection) -> list[bytes]:
    flight = []
    try:
        while True:
            flight.append(side.bio_read(DATAGRAM_BYTES))
    except SSL.Error:
        return flight


def main() -> None:
    """Do what standard input orders."""
    orders = json.load(sys.stdin)
    os.sched_setaffinity(0, {orders["core"]})
    if orders["floor"] == "relay":
        print(_send_batches(orders["batches"], orders["ports"], orders["seconds"]))
    elif orders["floor"] == "fanout":
        frames = [bytes.fromhex(frame) for frame in orders["frames"]]
        print(_send_frames(frames, orders["sockets"], orders["tick_s"], orders["port"]))
    else:
        print(_shake_hands(orders["seconds"]))


if __name__ == "__main__":
    main()
