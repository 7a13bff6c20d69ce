"""python3 failures.py FOLDER-OF-ZYGOTE: what applications send, and what the host gets of it, one JSON line each."""

import asyncio
import json
import sys

sys.path.insert(0, sys.argv[1])
import zygote_failures  # noqa: E402


def start(status):
    return {"type": "http.response.start", "status": status, "headers": []}


def body(text, more_body=False):
    return {"type": "http.response.body", "body": text.encode(), "more_body": more_body}


async def good(scope, receive, send):
    await send(start(200))
    await send(body("good"))


async def own_500(scope, receive, send):
    await send(start(500))
    await send(body("sorry"))


async def streamed_500(scope, receive, send):
    await send(start(500))
    await send(body("one", True))
    told.append("the application goes on")
    await send(body("two"))


async def framework(scope, receive, send):
    await send(start(500))
    await send(body("Internal Server Error"))
    raise KeyError("lost")


async def silent(scope, receive, send):
    raise KeyError("silent")


async def late(scope, receive, send):
    await send(start(200))
    raise KeyError("late")


told = []


def shown(message):
    if message["type"] == "http.response.start":
        return [message["status"], [name.decode() for name, _ in message["headers"]]]
    return message["body"].decode()


async def tell(application, kind="http"):
    told.clear()

    async def send(message):
        told.append(shown(message))

    try:
        await zygote_failures.TellingFailures(application)({"type": kind}, None, send)
    except KeyError as error:
        told.append(f"raised {error}")
    print("TOLD " + json.dumps({"application": application.__name__, "kind": kind, "told": told}), flush=True)


for case in [good, own_500, streamed_500, framework, silent, late]:
    asyncio.run(tell(case))
asyncio.run(tell(silent, "websocket"))
