"""Messages of the network for an application. Source: aleph-vm `runtimes/aleph-debian-12-python/init1.py`."""

import asyncio
import json
import traceback

from zygote_answers import answer_line, failure

MAX_CONCURRENT = 64


async def take_events(reader, writer, application) -> None:
    """Until the agent has gone: one JSON object a line, {"id", "event"}."""
    places = asyncio.Semaphore(MAX_CONCURRENT)
    tasks = set()
    while True:
        line = await reader.readline()
        if not line.endswith(b"\n"):
            return
        await places.acquire()
        task = asyncio.get_running_loop().create_task(answer(json.loads(line), writer, application))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        task.add_done_callback(lambda _: places.release())


async def answer(question, writer, application) -> None:
    try:
        result = {"success": True, "output": await deliver(question["event"], application)}
    except Exception as error:  # the application's own code
        trace = traceback.format_exc()
        print(trace)
        result = {"success": False, **failure(error, trace)}
    writer.write(answer_line({"id": question["id"], "result": result}))
    await writer.drain()


async def deliver(event, application):
    """What the application sent for it: nothing is also an answer."""
    sent = []

    async def receive():
        return {"type": event["type"], "body": event.get("body"), "more_body": False}

    async def send(message) -> None:
        sent.append(message)

    result = application(dict(event), receive, send)
    if result is not None:
        await result
    return sent[0] if sent else None
