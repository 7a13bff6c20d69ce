"""The server of ASGI applications, and what nearly all of them import."""

import importlib

#: The server itself: without these there are no ASGI applications.
NEEDED = ["uvicorn", "h11"]
USUAL = [
    "uvicorn.lifespan.off",
    "uvicorn.loops.asyncio",
    "uvicorn.protocols.http.h11_impl",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.websockets_impl",
    "uvicorn.protocols.websockets.wsproto_impl",
    "email.message",
    "http.client",
    "urllib.request",
    "fastapi",
    "starlette.websockets",
    "starlette.responses",
]


def import_all() -> None:
    for name in NEEDED:
        importlib.import_module(name)
    for name in USUAL:
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # this runtime does not have it


def make_server(application):
    import uvicorn

    config = uvicorn.Config(
        application,
        lifespan="off",
        loop="asyncio",
        interface="asgi3",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=60,
    )
    return uvicorn.Server(config)
