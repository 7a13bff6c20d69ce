"""Frames of the transport: payload length (u32, big endian), type (u8), stream (u32), payload."""

import struct

HELLO, WAKE, CONFIGURE, OPEN, DATA, END, RESET, CREDIT, HALT, HALTED = range(1, 11)

PREAMBLE = b"\x26\x26TWSX\x26\x26"
MAX_PAYLOAD_BYTES = 65_536
START_WINDOW_BYTES = 262_144

_HEAD = struct.Struct(">IBI")


def encode(kind: int, stream: int, payload: bytes = b"") -> bytes:
    return _HEAD.pack(len(payload), kind, stream) + payload


class FrameReader:
    """Takes bytes as they arrive. What comes before a preamble belongs to an earlier connection and is skipped."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._is_in_step = False

    def restart(self) -> None:
        """The host has gone: nothing counts before its next preamble."""
        self._buffer.clear()
        self._is_in_step = False

    def resume_stalled(self) -> bool:
        """A frame that is never completed may hide the preamble of a new connection: true when it did."""
        position = self._buffer.find(PREAMBLE)
        if not self._is_in_step or position < 0:
            return False
        self._is_in_step = False
        return True

    @property
    def has_part(self) -> bool:
        return len(self._buffer) > 0

    def feed(self, data: bytes):
        """The frames that are complete now, as (type, stream, payload); None for each preamble."""
        self._buffer += data
        while True:
            if not self._is_in_step:
                if not self._find_preamble():
                    return
                yield None
            elif self._buffer.startswith(PREAMBLE):
                # No frame begins like this: its length would be beyond every bound.
                self._is_in_step = False
            else:
                frame = self._take_frame()
                if frame is None:
                    return
                if frame:
                    yield frame

    def _find_preamble(self) -> bool:
        position = self._buffer.find(PREAMBLE)
        if position < 0:
            # The end may be the beginning of one.
            del self._buffer[: max(0, len(self._buffer) - len(PREAMBLE) + 1)]
            return False
        del self._buffer[: position + len(PREAMBLE)]
        self._is_in_step = True
        return True

    def _take_frame(self):
        """None: not complete yet; empty: no frame, out of step."""
        if len(self._buffer) < _HEAD.size:
            return None
        length, kind, stream = _HEAD.unpack_from(self._buffer)
        if length > MAX_PAYLOAD_BYTES or not HELLO <= kind <= HALTED:
            self._is_in_step = False
            return ()
        if len(self._buffer) < _HEAD.size + length:
            return None
        payload = bytes(self._buffer[_HEAD.size : _HEAD.size + length])
        del self._buffer[: _HEAD.size + length]
        return kind, stream, payload
