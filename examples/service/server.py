"""A service that listens to browsers: python examples/service/server.py [--port 8765]

Then open http://127.0.0.1:8765 and press the button. Needs: pip install websockets.

    browser                                          server
    GET /                                     ─────► page.html
    WebSocket /listen?rate=48000              ─────► one Stream for each connection
    binary: int16 samples, little endian, mono ────► stream.accept_waveform, in a thread
    text: an event of the stream, as JSON    ◄─────  (see edge.events)
    text "end"                                ─────► stream.input_finished, then it closes

Recognition is work for the processor, so it runs in threads and the event loop stays free; the
next sound is taken when the last has been worked off, so that a slow server slows its clients
down instead of hoarding their sound.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from edge import EdgeError, Recognizer, Stream

PAGE = Path(__file__).with_name("page.html")
LARGEST_MESSAGE = 1 << 20  # bytes
BAD_REQUEST = 1008  # the WebSocket protocol's code for a violated policy


def main() -> None:
    """Serves until it is interrupted or terminated."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    parser.add_argument("--bundle", help="folder of a model bundle")
    options = parser.parse_args()
    asyncio.run(run(Recognizer(options.bundle), options.port))


async def run(recognizer: Recognizer, port: int) -> None:
    """Serves on this machine's own address; browsers give a microphone to it without HTTPS."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)

    async def listen(connection: ServerConnection) -> None:
        await serve_one(recognizer, connection)

    async with serve(
        listen, "127.0.0.1", port, process_request=answer, max_size=LARGEST_MESSAGE
    ) as server:
        print(f"open {address(server)}", flush=True)
        await stopped.wait()


def address(server: Server) -> str:
    """Where the page is."""
    host, port = next(iter(server.sockets)).getsockname()[:2]
    return f"http://{host}:{port}"


def answer(connection: ServerConnection, request: Request) -> Response | None:
    """The page, or None to go on to the WebSocket; a page of another origin may not connect."""
    path = urlsplit(request.path).path
    if path == "/listen":
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
            return connection.respond(HTTPStatus.FORBIDDEN, "another origin\n")
        return None
    if path != "/":
        return connection.respond(HTTPStatus.NOT_FOUND, "not here\n")
    body = PAGE.read_bytes()
    headers = Headers(
        {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
    )
    return Response(HTTPStatus.OK, "OK", headers, body)


async def serve_one(recognizer: Recognizer, connection: ServerConnection) -> None:
    """Recognises the sound of one browser until it ends or goes away."""
    query = parse_qs(urlsplit(connection.request.path).query)
    try:
        stream = recognizer.stream(int(query.get("rate", ["16000"])[0]))
    except (EdgeError, ValueError) as error:
        await connection.close(BAD_REQUEST, str(error)[:120])
        return
    try:
        async for message in connection:
            if message == "end":
                await asyncio.to_thread(stream.input_finished)
                await tell(stream, connection)
                return
            if isinstance(message, str) or len(message) % 2:
                await connection.close(BAD_REQUEST, "binary messages of int16 samples are wanted")
                return
            await asyncio.to_thread(stream.accept_waveform, np.frombuffer(message, "<i2"))
            await tell(stream, connection)
    except ConnectionClosed:
        pass  # the browser is gone
    finally:
        stream.close()


async def tell(stream: Stream, connection: ServerConnection) -> None:
    """Sends the events that are there."""
    for event in stream.poll():
        await connection.send(json.dumps(event.to_dict()))


if __name__ == "__main__":
    main()
