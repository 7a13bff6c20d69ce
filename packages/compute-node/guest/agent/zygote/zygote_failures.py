"""Tells the host why an application failed to answer: it decides who sees that."""

import traceback

from zygote_answers import MAX_TEXT_CHARACTERS

#: Known to the host, which takes it off.
HEADER = b"aleph-traceback"


class TellingFailures:
    """
    Frameworks answer 500 for an exception of the application, and then raise it: such an answer waits until it is known
    whether an exception follows, and gives its place to the traceback. All others go at once.
    """

    def __init__(self, application) -> None:
        self._application = application

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        held = HeldAnswer(send)
        try:
            await self._application(scope, receive, held.send)
        except Exception:  # the application's own code
            if held.is_sent:
                raise
            trace = traceback.format_exc()
            print(trace)
            await send_traceback(trace, send)
            return
        await held.release()


class HeldAnswer:
    def __init__(self, send) -> None:
        self._send = send
        self._waiting = []
        self.is_sent = False

    async def send(self, message) -> None:
        is_failure = message["type"] == "http.response.start" and message.get("status") == 500
        is_rest = bool(self._waiting) and message["type"] == "http.response.body"
        if not self.is_sent and (is_failure or (is_rest and not message.get("more_body", False))):
            self._waiting.append(message)
            return
        await self.release()
        self.is_sent = True
        await self._send(message)

    async def release(self) -> None:
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            self.is_sent = True
            await self._send(message)


async def send_traceback(trace: str, send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (HEADER, b"1")]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": trace[-MAX_TEXT_CHARACTERS:].encode("utf-8", "replace")})
