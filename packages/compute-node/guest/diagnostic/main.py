"""What compute nodes try themselves with: each path shows one thing that functions rely on.

Source of paths and answers: aleph-vm `examples/example_fastapi/main.py`, `src/aleph/vm/orchestrator/status.py`.
"""

import asyncio
import json
import os
import socket

import aiohttp
from fastapi import FastAPI

app = FastAPI()
started = False

NAME = "example.org"
TARGETS = {4: ("9.9.9.9", 53), 6: ("2620:fe::fe", 53)}
PAGES = ["https://example.org/", "https://www.debian.org/", "http://detectportal.firefox.com/success.txt"]
STATE_FILE = "/var/lib/example/storage.json"
TIMEOUT = aiohttp.ClientTimeout(total=5)


@app.on_event("startup")
async def start() -> None:
    global started
    started = True


def host_api() -> aiohttp.ClientSession:
    """The API that the node gives to functions; everything that it has not itself is its core node's."""
    connector = aiohttp.UnixConnector(path=os.environ["ALEPH_API_UNIX_SOCKET"])
    return aiohttp.ClientSession(base_url=os.environ["ALEPH_API_HOST"], connector=connector)


async def newest_messages():
    async with host_api() as session, session.get("/api/v0/messages.json?pagination=1") as answer:
        return await answer.json()


@app.get("/")
async def index():
    return {"Example": "example_fastapi"}


@app.get("/lifespan")
async def lifespan():
    return {"Lifespan": started}


@app.get("/environ")
async def environ():
    return dict(os.environ)


@app.get("/messages")
async def messages():
    return {"Messages": await newest_messages()}


@app.get("/get_a_message")
async def get_a_message():
    found = (await newest_messages())["messages"][0]["item_hash"]
    async with host_api() as session, session.get(f"/api/v0/messages/{found}") as answer:
        return (await answer.json())["message"]


async def address_of(family: int):
    try:
        found = await asyncio.get_running_loop().getaddrinfo(NAME, None, family=family)
    except OSError:
        return None
    return found[0][4][0]


@app.get("/dns")
async def dns():
    return {"ipv4": await address_of(socket.AF_INET), "ipv6": await address_of(socket.AF_INET6)}


@app.get("/ip/{version}")
async def ip(version: int):
    host, port = TARGETS[version]
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 5)
    except (OSError, asyncio.TimeoutError):
        return {"result": False}
    writer.close()
    return {"result": True}


@app.get("/internet")
async def internet():
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        for page in PAGES:
            try:
                async with session.get(page) as answer:
                    return {"result": answer.status}
            except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
                continue
    return {"result": False}


@app.get("/cache/set/{key}/{value}")
async def cache_set(key: str, value: str):
    async with host_api() as session, session.put(f"/cache/{key}", data=value) as answer:
        return await answer.json()


@app.get("/cache/get/{key}")
async def cache_get(key: str):
    async with host_api() as session, session.get(f"/cache/{key}") as answer:
        return await answer.text()


@app.get("/cache/keys")
async def cache_keys():
    async with host_api() as session, session.get("/cache/") as answer:
        return await answer.json()


@app.get("/state/increment")
async def increment():
    counter = 0
    if os.path.exists(STATE_FILE):
        with open(STATE_FILE) as file:
            counter = json.load(file)["counter"]
    with open(STATE_FILE, "w") as file:
        json.dump({"counter": counter + 1}, file)
    return {"counter": counter + 1}


@app.get("/raise")
async def fail():
    raise RuntimeError("this is what was asked for")


@app.get("/crash")
async def crash():
    os._exit(1)
