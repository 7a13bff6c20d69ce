"""The connection to the host over the port: frames in both directions, and what happens when the host goes."""

import asyncio
import errno
import os
from collections import deque

from frames import PREAMBLE, FrameReader, encode

READ_BYTES = 262_144
#: A write to the port takes no more at once.
WRITE_BYTES = 32_768
#: With no host connected the port is always readable, and empty: it is looked at again after this time.
ABSENT_SECONDS = 0.01
STALL_SECONDS = 1.0
#: Whoever produces data waits while more than this has not been written yet.
HIGH_WATER_BYTES = 524_288


class Link:
    """Calls `on_preamble()` and `on_frame(type, stream, payload)`; `on_absent()` when the host has gone."""

    def __init__(self, port: int, on_preamble, on_frame, on_absent) -> None:
        self._port = port
        self._on_preamble = on_preamble
        self._on_frame = on_frame
        self._on_absent = on_absent
        self._reader = FrameReader()
        self._outgoing = deque()
        self._outgoing_bytes = 0
        self._waiting = []
        self._is_writing = False
        self._is_present = False
        self._drained = asyncio.Event()
        self._drained.set()
        self._stall = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(port, self._read)

    @property
    def is_full(self) -> bool:
        return self._outgoing_bytes > HIGH_WATER_BYTES

    def when_room(self, callback) -> None:
        """Calls back once when producers may go on."""
        self._waiting.append(callback)

    async def drained(self) -> None:
        """Everything that was sent is with the host."""
        await self._drained.wait()

    def greet(self, frame: bytes) -> None:
        """Drops what was meant for an earlier connection and speaks first on a new one."""
        # A frame that is half written stays cut: the host looks for the preamble.
        self._outgoing.clear()
        self._outgoing_bytes = 0
        self._queue(PREAMBLE + frame)

    def send(self, kind: int, stream: int, payload: bytes = b"") -> None:
        self._queue(encode(kind, stream, payload))

    def _queue(self, data: bytes) -> None:
        self._outgoing.append(memoryview(data))
        self._outgoing_bytes += len(data)
        self._drained.clear()
        if not self._is_writing:
            self._write()

    def _write(self) -> None:
        self._write_some()
        if self._waiting and self._outgoing_bytes <= HIGH_WATER_BYTES // 2:
            waiting, self._waiting = self._waiting, []
            for callback in waiting:
                self._loop.call_soon(callback)

    def _write_some(self) -> None:
        try:
            while self._outgoing:
                part = self._outgoing[0]
                written = os.write(self._port, part[:WRITE_BYTES])
                self._outgoing_bytes -= written
                if written == len(part):
                    self._outgoing.popleft()
                else:
                    self._outgoing[0] = part[written:]
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EPIPE):
                raise
            self._watch_writing()
            return
        self._stop_writing()
        self._drained.set()

    def _watch_writing(self) -> None:
        if self._is_writing:
            return
        self._is_writing = True
        if self._is_present:
            self._loop.add_writer(self._port, self._write)
        else:
            # Without a host the port is never writable but always wakes whoever waits for it.
            self._loop.call_later(ABSENT_SECONDS, self._retry_writing)

    def _retry_writing(self) -> None:
        self._is_writing = False
        self._write()

    def _stop_writing(self) -> None:
        if self._is_writing:
            self._is_writing = False
            self._loop.remove_writer(self._port)

    def _read(self) -> None:
        try:
            data = os.read(self._port, READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._lose_host()
            return
        self._is_present = True
        self._take(data)

    def _take(self, data: bytes) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        for frame in self._reader.feed(data):
            if frame is None:
                self._on_preamble()
            else:
                self._on_frame(*frame)
        if self._reader.has_part:
            self._stall = self._loop.call_later(STALL_SECONDS, self._look_behind_part)

    def _look_behind_part(self) -> None:
        self._stall = None
        if self._reader.resume_stalled():
            self._take(b"")

    def _lose_host(self) -> None:
        if self._is_present:
            self._is_present = False
            self._reader.restart()
            if self._is_writing:
                self._stop_writing()
            self._on_absent()
        self._loop.remove_reader(self._port)
        self._loop.call_later(ABSENT_SECONDS, self._loop.add_reader, self._port, self._read)
