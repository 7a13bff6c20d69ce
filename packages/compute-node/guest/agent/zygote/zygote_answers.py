"""What goes back to the agent: one JSON object a line."""

import base64
import json

MAX_TEXT_CHARACTERS = 20_000


def answer_line(value) -> bytes:
    return json.dumps(value, default=plain).encode() + b"\n"


def plain(value):
    """What JSON has no form for. Bytes are text where they can be."""
    if isinstance(value, (bytes, bytearray)):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    return repr(value)


def failure(error: BaseException, trace: str):
    text = f"{type(error).__name__}: {error}"
    return {"error": text[:MAX_TEXT_CHARACTERS], "traceback": trace[-MAX_TEXT_CHARACTERS:]}
