"""The WebSocket service, by a plain client and by a page in Chromium with a fake microphone."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import wave

import numpy as np
import pytest

import edge
from edge.labels import LABELS
from tests.examples.conftest import EXAMPLES

websockets = pytest.importorskip("websockets", minversion="15")
from websockets.asyncio.client import connect  # noqa: E402


@pytest.fixture
def service(models):
    """The address of a running service, such as 127.0.0.1:40000."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / "service" / "server.py")]
    process = subprocess.Popen(
        [*command, "--port", "0", "--bundle", str(models)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=EXAMPLES.parent,
        env={**os.environ, "PYTHONPATH": str(EXAMPLES.parent)},
    )
    try:
        line = process.stdout.readline()
        yield re.fullmatch(r"open http://(127\.0\.0\.1:\d+)\n", line)[1]
    finally:
        process.terminate()
        process.stdout.close()
        assert process.wait(20) == 0


def talk(address: str, path: str, messages, **settings) -> list:
    """Sends the messages; the events until the service closes."""

    async def talk() -> list:
        async with connect(f"ws://{address}{path}", proxy=None, **settings) as connection:
            for message in messages:
                await connection.send(message)
            return [json.loads(event) async for event in connection]

    return asyncio.run(talk())


def test_a_client_is_told_what_a_stream_would_tell(service, models, clip):
    samples, rate = edge.read_audio(clip)
    sound = np.rint(32768 * samples[:, 0]).astype("<i2")
    pieces = [sound[begin : begin + 1000].tobytes() for begin in range(0, len(sound), 1000)]
    events = talk(service, f"/listen?rate={rate}", [*pieces, "end"])
    with edge.Recognizer(models).stream(rate) as stream:
        stream.accept_waveform(sound)
    expected = [event.to_dict() for event in stream.events()]
    assert events == json.loads(json.dumps(expected))
    assert events[-1]["kind"] == "turn_ended"


def test_clients_have_streams_of_their_own(service, clip):
    sound = np.rint(32768 * edge.read_audio(clip)[0][:, 0]).astype("<i2").tobytes()

    async def both() -> list[list]:
        async def one() -> list:
            async with connect(f"ws://{service}/listen", proxy=None) as connection:
                await connection.send(sound)
                await connection.send("end")
                return [json.loads(event) async for event in connection]

        return await asyncio.gather(one(), one(), one())

    first, second, third = asyncio.run(both())
    assert first == second == third != []


@pytest.mark.parametrize(
    ("path", "message", "reason"),
    [
        ("/listen?rate=4000", None, "4000 Hz"),
        ("/listen?rate=fast", None, "fast"),
        ("/listen", "hello", "int16"),
        ("/listen", b"odd", "int16"),
    ],
)
def test_a_client_that_breaks_the_rules_is_told_why(service, path, message, reason):
    with pytest.raises(websockets.exceptions.ConnectionClosedError) as caught:
        talk(service, path, [] if message is None else [message])
    assert caught.value.rcvd.code == 1008
    assert reason in caught.value.rcvd.reason


def test_the_page_is_served_and_nothing_else(service):
    with urllib.request.urlopen(f"http://{service}/") as answer:
        assert answer.headers.get_content_type() == "text/html"
        assert answer.read() == (EXAMPLES / "service" / "page.html").read_bytes()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://{service}/server.py")


def test_a_page_of_another_origin_is_refused(service):
    with pytest.raises(websockets.exceptions.InvalidStatus, match="403"):
        talk(service, "/listen", [], origin="http://elsewhere.example")


def test_a_browser_with_a_microphone_is_told_how_its_user_sounds(service, clip, tmp_path):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed (make system-deps)")
    path = tmp_path / "microphone.wav"
    speech_and_pause(clip, path)
    browser = subprocess.Popen(
        [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
            *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
            *("--disable-sync", "--disable-dev-shm-usage", "--mute-audio"),
            *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
            f"--use-file-for-fake-audio-capture={path}",
            *(f"--user-data-dir={tmp_path / 'profile'}", "--remote-debugging-port=0"),
            "about:blank",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        seen = asyncio.run(asyncio.wait_for(use_page(service, browser, tmp_path), timeout=90))
    finally:
        browser.terminate()
        browser.wait(20)
    assert re.fullmatch(r"(fe)?male, \d+\.\d %", seen["gender"])
    assert seen["held"] in LABELS
    assert seen["probabilities"] == pytest.approx(1.0, abs=0.01)
    assert re.match(r"\d+\.\d – \d+\.\d s: (fe)?male, \w+", seen["segment"])
    assert seen["state"] == "ended"


def speech_and_pause(clip, path) -> None:
    """The clip and 2 s without sound, which Chromium plays again and again."""
    samples, rate = edge.read_audio(clip)
    sound = np.concatenate([samples[:, 0], np.zeros(2 * rate, np.float32)])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(32767 * sound).astype("<i2").tobytes())


class Tab:
    """A tab of Chromium, by its debugging protocol."""

    def __init__(self, connection) -> None:
        self._connection = connection
        self._number = 0

    async def command(self, method: str, **parameters):
        self._number += 1
        request = {"id": self._number, "method": method, "params": parameters}
        await self._connection.send(json.dumps(request))
        while True:
            answer = json.loads(await self._connection.recv())
            if answer.get("id") == self._number:
                return answer["result"]

    async def evaluate(self, expression: str):
        # A click counts as the user's own, without which no sound is processed.
        answer = await self.command(
            "Runtime.evaluate", expression=expression, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, expression: str):
        """The expression's value once it is true."""
        while True:
            value = await self.evaluate(expression)
            if value:
                return value
            await asyncio.sleep(0.1)


async def use_page(service: str, browser, folder) -> dict:
    port_file = folder / "profile" / "DevToolsActivePort"
    while not (port_file.exists() and port_file.read_text().count("\n")):
        assert browser.poll() is None, "Chromium ended"
        await asyncio.sleep(0.1)
    port = port_file.read_text().split("\n")[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
        (tab,) = [each for each in json.load(answer) if each["type"] == "page"]
    async with connect(tab["webSocketDebuggerUrl"], max_size=None, proxy=None) as connection:
        tab = Tab(connection)
        await tab.command("Page.navigate", url=f"http://{service}/")
        await tab.until("document.readyState === 'complete' && !!document.querySelector('button')")
        await tab.evaluate("document.querySelector('button').click()")
        seen = {
            "held": await tab.until("document.querySelector('label.held span')?.textContent"),
            "gender": await tab.evaluate("document.querySelector('#gender').textContent"),
            "probabilities": await tab.evaluate(
                "[...document.querySelectorAll('meter')].reduce((sum, m) => sum + m.value, 0)"
            ),
            "segment": await tab.until("document.querySelector('#segments li')?.textContent"),
        }
        await tab.evaluate("document.querySelector('button').click()")
        seen["state"] = await tab.until(
            "document.querySelector('button').textContent === 'Listen' && "
            "document.querySelector('#state').textContent"
        )
        return seen
