"""One stream of the transport joined to one socket of the guest, with credit in both directions."""

import asyncio

from frames import CREDIT, DATA, END, MAX_PAYLOAD_BYTES, RESET, START_WINDOW_BYTES

#: Credit is given back in portions, so that it does not take a frame for every frame.
CREDIT_PORTION_BYTES = 65_536


class Bridge(asyncio.Protocol):
    """A socket as the other end of a stream. `on_done()` is called once, when both directions have ended."""

    def __init__(self, link, stream: int, on_done) -> None:
        self._link = link
        self._stream = stream
        self._on_done = on_done
        self._transport = None
        self._early = []
        #: What the host accepts still, and what waits for it.
        self._credit = START_WINDOW_BYTES
        self._pending = bytearray()
        self._owed = 0
        self._is_socket_full = False
        self._has_sent_end = False
        self._has_got_end = False
        self._socket_ended = False
        self._waits_for_room = False
        self._is_over = False

    # From the socket

    def connection_made(self, transport) -> None:
        if self._is_over:
            transport.abort()
            return
        self._transport = transport
        for action in self._early:
            action()
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        self._pending += data
        self._forward()

    def eof_received(self) -> bool:
        self._socket_ended = True
        self._forward()
        return True

    def connection_lost(self, error) -> None:
        if self._is_over:
            return
        if error is not None:
            self.reset(f"the connection in the guest broke: {error}")
            return
        self._socket_ended = True
        self._forward()

    def pause_writing(self) -> None:
        self._is_socket_full = True

    def resume_writing(self) -> None:
        self._is_socket_full = False
        self._give_credit()

    def _forward(self) -> None:
        while self._pending and self._credit > 0 and not self._link.is_full:
            size = min(len(self._pending), self._credit, MAX_PAYLOAD_BYTES)
            self._link.send(DATA, self._stream, bytes(self._pending[:size]))
            del self._pending[:size]
            self._credit -= size
        if self._pending:
            self._hold_socket(True)
            if self._credit > 0 and not self._waits_for_room:
                # The port is busy with other streams.
                self._waits_for_room = True
                self._link.when_room(self._forward_again)
            return
        self._hold_socket(False)
        if self._socket_ended and not self._has_sent_end:
            self._has_sent_end = True
            self._link.send(END, self._stream)
            self._end_if_done()

    def _forward_again(self) -> None:
        self._waits_for_room = False
        if not self._is_over:
            self._forward()

    def _hold_socket(self, is_held: bool) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or self._socket_ended:
            return
        if is_held == transport.is_reading():
            (transport.pause_reading if is_held else transport.resume_reading)()

    # From the host

    def take(self, data: bytes) -> None:
        if self._transport is None:
            self._early.append(lambda: self.take(data))
            return
        if not self._transport.is_closing():
            self._transport.write(data)
        self._owed += len(data)
        self._give_credit()

    def take_end(self) -> None:
        if self._transport is None:
            self._early.append(self.take_end)
            return
        self._has_got_end = True
        if not self._transport.is_closing() and self._transport.can_write_eof():
            try:
                self._transport.write_eof()
            except OSError:
                pass  # the socket has gone at this moment, which connection_lost tells of
        self._end_if_done()

    def take_credit(self, size: int) -> None:
        self._credit += size
        self._forward()

    def take_reset(self) -> None:
        self._finish()

    def reset(self, reason: str) -> None:
        """Ends both directions at once and tells the host why."""
        if not self._is_over:
            self._link.send(RESET, self._stream, reason.encode()[:1000])
            self._finish()

    def _give_credit(self) -> None:
        if self._owed >= CREDIT_PORTION_BYTES and not self._is_socket_full and not self._has_got_end:
            self._link.send(CREDIT, self._stream, self._owed.to_bytes(4, "big"))
            self._owed = 0

    def _end_if_done(self) -> None:
        if self._has_sent_end and self._has_got_end:
            self._finish(is_clean=True)

    def _finish(self, is_clean: bool = False) -> None:
        if self._is_over:
            return
        self._is_over = True
        if self._transport is not None:
            (self._transport.close if is_clean else self._transport.abort)()
        self._on_done()
