"""`realtime-server talk`: a client for the terminal, by microphone or from file to file."""

import base64
import json
import queue
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import soundfile
import soxr
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.sync.client import connect
from websockets.sync.connection import Connection

RATE_HZ = 24_000
CHUNK = RATE_HZ // 25
SOCKET_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


def talk(url: str, key: str | None, question: Path | None, answer: Path | None, voice: str, instructions: str | None) -> int:
    """The exit status: 0 when there was an answer, 1 when there was none, 2 when nobody could be asked."""
    try:
        address = socket_address(url)
    except ValueError as error:
        print(f"realtime-server talk: --url {url}: {error}", file=sys.stderr)
        return 2
    if answer is not None and not answer.parent.is_dir():
        print(f"realtime-server talk: --out {answer}: there is no folder {answer.parent}", file=sys.stderr)
        return 2
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        pcm = None if question is None else _read(question)
    except (OSError, soundfile.LibsndfileError) as error:
        print(f"realtime-server talk: --in {question}: {error}", file=sys.stderr)
        return 2
    try:
        with connect(address, additional_headers=headers, max_size=None) as socket:
            session: dict[str, Any] = {"type": "realtime", "audio": {"output": {"voice": voice}}}
            session["audio"]["input"] = {"transcription": {"model": "default"}}
            if instructions:
                session["instructions"] = instructions
            if pcm is not None:
                session["audio"]["input"]["turn_detection"] = None
            _send(socket, type="session.update", session=session)
            if pcm is not None:
                return _ask(socket, pcm, answer)
            return _converse(socket)
    except OSError as error:
        print(f"realtime-server talk: no server answers at {address}: {error}", file=sys.stderr)
    except (InvalidHandshake, InvalidURI) as error:
        print(f"realtime-server talk: {address} is no realtime server, or lets nobody in: {error}", file=sys.stderr)
    except ConnectionClosed as error:
        print(f"realtime-server talk: the server closed the connection: {error}", file=sys.stderr)
    return 1


def socket_address(url: str) -> str:
    """The WebSocket behind a server's, an API's or the socket's own address; ValueError for what is none of these."""
    parts = urlsplit(url)
    if parts.scheme not in SOCKET_SCHEMES or not parts.hostname or parts.port == 0:
        raise ValueError("not an address that begins with http://, https://, ws:// or wss://")
    path = parts.path.rstrip("/")
    if not path.endswith("/realtime"):
        path = (path or "/v1") + "/realtime"
    return urlunsplit((SOCKET_SCHEMES[parts.scheme], parts.netloc, path, parts.query, ""))


def _send(socket: Connection, **event: Any) -> None:
    socket.send(json.dumps(event))


def _events(socket: Connection) -> Iterator[dict[str, Any]]:
    """Every event, with transcripts and errors printed on the way."""
    for text in socket:
        event = json.loads(text)
        match event["type"]:
            case "conversation.item.input_audio_transcription.completed":
                print(f"you:    {event['transcript']}", flush=True)
            case "response.output_audio_transcript.done":
                print(f"server: {event['transcript']}", flush=True)
            case "response.function_call_arguments.done":
                print(f"call:   {event['name']}({event['arguments']})", flush=True)
            case "error":
                _tell(event["error"])
            case "response.done" if event["response"]["status"] == "failed":
                _tell(event["response"]["status_details"]["error"])
        yield event


def _tell(error: dict[str, Any]) -> None:
    print(f"error:  {error['message']} ({error['code']})", file=sys.stderr, flush=True)


def _read(question: Path) -> bytes:
    """Any sound file as 24 kHz mono PCM16."""
    samples, rate = soundfile.read(question, dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(1), rate, RATE_HZ)
    return bytes(np.clip(mono * 32767, -32768, 32767).astype("<i2").tobytes())


def _ask(socket: Connection, pcm: bytes, answer: Path | None) -> int:
    for start in range(0, len(pcm), 1 << 16):
        _send(socket, type="input_audio_buffer.append", audio=base64.b64encode(pcm[start : start + (1 << 16)]).decode())
    _send(socket, type="input_audio_buffer.commit")
    _send(socket, type="response.create")
    heard = bytearray()
    for event in _events(socket):
        if event["type"] == "response.output_audio.delta":
            heard += base64.b64decode(event["delta"])
        if event["type"] == "error":
            return 1
        if event["type"] == "response.done":
            break
    if answer is not None and heard:
        soundfile.write(answer, np.frombuffer(bytes(heard), "<i2"), RATE_HZ)
    return 0 if heard else 1


def _converse(socket: Connection) -> int:
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        print(
            f"realtime-server talk: no microphone can be used ({error}). Install the package sounddevice and PortAudio, "
            "or give --in question.wav --out answer.wav.", file=sys.stderr,
        )  # fmt: skip
        return 1
    speaker: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    playing = bytearray()

    def microphone(data: Any, _frames: int, _time: Any, _status: Any) -> None:
        _send(socket, type="input_audio_buffer.append", audio=base64.b64encode(bytes(data)).decode())

    def loudspeaker(out: Any, frames: int, _time: Any, _status: Any) -> None:
        while not speaker.empty():
            piece = speaker.get()
            playing.extend(piece) if piece else playing.clear()
        now = bytes(playing[: frames * 2])
        del playing[: frames * 2]
        out[:] = now + bytes(frames * 2 - len(now))

    common = {"samplerate": RATE_HZ, "channels": 1, "dtype": "int16", "blocksize": CHUNK}
    try:
        with (
            sounddevice.RawInputStream(callback=microphone, **common),
            sounddevice.RawOutputStream(callback=loudspeaker, **common),
        ):
            print("Speak. Use headphones: there is no echo cancellation here. Ctrl-C ends.")
            for event in _events(socket):
                if event["type"] == "response.output_audio.delta":
                    speaker.put(base64.b64decode(event["delta"]))
                elif event["type"] == "input_audio_buffer.speech_started":
                    speaker.put(b"")
    except sounddevice.PortAudioError as error:
        print(f"realtime-server talk: {error}. Give --in question.wav --out answer.wav instead.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0
