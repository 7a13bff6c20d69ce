"""A stream that carries one question and one answer, both JSON: the configuration, or an event."""

import json

from frames import CREDIT, DATA, END, MAX_PAYLOAD_BYTES, RESET

MAX_QUESTION_BYTES = 33_554_432


class Exchange:
    """Gathers a question; `on_question(parsed, exchange)` is called when it is complete."""

    def __init__(self, link, stream: int, on_question, on_done) -> None:
        self._link = link
        self._stream = stream
        self._on_question = on_question
        self._on_done = on_done
        self._question = bytearray()
        self._is_over = False

    def take(self, data: bytes) -> None:
        if len(self._question) + len(data) > MAX_QUESTION_BYTES:
            self.reset(f"more than {MAX_QUESTION_BYTES} bytes")
            return
        self._question += data
        if data:
            self._link.send(CREDIT, self._stream, len(data).to_bytes(4, "big"))

    def take_end(self) -> None:
        try:
            question = json.loads(self._question)
        except ValueError as error:
            self.answer({"success": False, "error": f"no JSON: {error}", "traceback": ""})
            return
        self._question.clear()
        self._on_question(question, self)

    def take_credit(self, _size: int) -> None:
        """Answers fit into the window that a stream starts with."""

    def take_reset(self) -> None:
        self._finish()

    def answer(self, value) -> None:
        if self._is_over:
            return
        data = json.dumps(value).encode()
        for start in range(0, len(data), MAX_PAYLOAD_BYTES):
            self._link.send(DATA, self._stream, data[start : start + MAX_PAYLOAD_BYTES])
        self._link.send(END, self._stream)
        self._finish()

    def reset(self, reason: str) -> None:
        if not self._is_over:
            self._link.send(RESET, self._stream, reason.encode()[:1000])
            self._finish()

    def _finish(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._on_done()
