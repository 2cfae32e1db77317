"""The beta dialect (protocol section 3): translated here, at the door, both ways; nothing inside knows it.

A socket speaks one dialect, chosen at the upgrade. Two of the beta's events are left out because clients that still
speak it break on them: `conversation.created` and transcription deltas.
"""

from typing import Any

import orjson

from realtime_server.protocol import codec
from realtime_server.protocol.client_events import AnyClientEvent
from realtime_server.protocol.errors import ClientError
from realtime_server.protocol.server_events import AnyServerEvent

_FORMATS: dict[str, dict[str, Any]] = {
    "pcm16": {"type": "audio/pcm", "rate": 24000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}
_FORMAT_NAMES = {shape["type"]: name for name, shape in _FORMATS.items()}
_EVENT_NAMES = {
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "conversation.item.added": "conversation.item.created",
}
_LEFT_OUT = ("conversation.item.done", "conversation.item.input_audio_transcription.delta")
_PART_NAMES = {"output_text": "text", "output_audio": "audio"}
_INPUT_FIELDS = {
    "input_audio_format": "format", "input_audio_transcription": "transcription",
    "input_audio_noise_reduction": "noise_reduction", "turn_detection": "turn_detection",
}  # fmt: skip
_OUTPUT_FIELDS = {"output_audio_format": "format", "voice": "voice", "speed": "speed"}


# --- from the client --------------------------------------------------------------------------------------------------


def decode(text: str | bytes) -> AnyClientEvent:
    """One beta event as the GA event that means the same; ClientError as `codec.decode`."""
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError:
        return codec.decode(text)
    return codec.decode(orjson.dumps(_ga_event(data)) if isinstance(data, dict) else text)


def _ga_event(data: dict[str, Any]) -> dict[str, Any]:
    kind = data.get("type")
    if kind == "session.update" and isinstance(data.get("session"), dict):
        return data | {"session": ga_session(data["session"], "realtime")}
    if kind == "transcription_session.update" and isinstance(data.get("session"), dict):
        return data | {"type": "session.update", "session": ga_session(data["session"], "transcription")}
    if kind == "response.create" and isinstance(data.get("response"), dict):
        return data | {"response": _ga_response(data["response"])}
    if kind == "conversation.item.create" and isinstance(data.get("item"), dict):
        return data | {"item": _ga_item(data["item"])}
    return data


def _format(name: Any, param: str) -> dict[str, Any]:
    if name not in _FORMATS:
        raise ClientError(
            f"Invalid value: '{name}'. Supported values are: 'pcm16', 'g711_ulaw' and 'g711_alaw'.", "invalid_value", param
        )
    return _FORMATS[name]


def _modalities(value: Any) -> Any:
    """Both together meant speech with its transcript: the GA's audio."""
    return ["audio"] if isinstance(value, list) and "audio" in value else value


def _tool_choice(value: Any) -> Any:
    return value if not isinstance(value, str) or value in ("auto", "none", "required") else {"type": "function", "name": value}


def ga_session(flat: dict[str, Any], kind: str) -> dict[str, Any]:
    """A flat session, or a part of one, as a GA patch."""
    session: dict[str, Any] = {"type": kind}
    audio: dict[str, dict[str, Any]] = {"input": {}, "output": {}}
    for key, value in flat.items():
        if key in _INPUT_FIELDS:
            is_format = _INPUT_FIELDS[key] == "format"
            audio["input"][_INPUT_FIELDS[key]] = _format(value, f"session.{key}") if is_format else value
        elif key in _OUTPUT_FIELDS:
            is_format = _OUTPUT_FIELDS[key] == "format"
            audio["output"][_OUTPUT_FIELDS[key]] = _format(value, f"session.{key}") if is_format else value
        elif key == "modalities":
            session["output_modalities"] = _modalities(value)
        elif key == "max_response_output_tokens":
            session["max_output_tokens"] = value
        elif key == "tool_choice":
            session[key] = _tool_choice(value)
        elif key not in ("temperature", "type"):
            session[key] = value
    session["audio"] = {side: fields for side, fields in audio.items() if fields}
    if not session["audio"]:
        del session["audio"]
    return session


def _ga_response(flat: dict[str, Any]) -> dict[str, Any]:
    response: dict[str, Any] = {}
    output: dict[str, Any] = {}
    for key, value in flat.items():
        if key == "modalities":
            response["output_modalities"] = _modalities(value)
        elif key == "voice":
            output["voice"] = value
        elif key == "output_audio_format":
            output["format"] = _format(value, f"response.{key}")
        elif key == "tool_choice":
            response[key] = _tool_choice(value)
        elif key == "max_response_output_tokens":
            response["max_output_tokens"] = value
        elif key == "input" and isinstance(value, list):
            response[key] = [_ga_item(item) if isinstance(item, dict) else item for item in value]
        elif key != "temperature":
            response[key] = value
    if output:
        response["audio"] = {"output": output}
    return response


def _ga_item(item: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(item.get("content"), list):
        return item
    names = {beta: ga for ga, beta in _PART_NAMES.items()}
    parts = [
        part | {"type": names.get(str(part.get("type")), part.get("type"))} if isinstance(part, dict) else part
        for part in item["content"]
    ]
    return item | {"content": parts}


# --- to the client ----------------------------------------------------------------------------------------------------


def encode(event: AnyServerEvent) -> list[str]:
    """One GA event as the beta event that means the same; nothing where the beta had none."""
    data = translate(codec.as_data(event))
    return [] if data is None else [orjson.dumps(data).decode()]


def translate(data: dict[str, Any]) -> dict[str, Any] | None:
    kind = data["type"]
    if kind in _LEFT_OUT:
        return None
    data = data | {"type": _EVENT_NAMES.get(kind, kind)}
    if "session" in data:
        if data["session"]["type"] == "transcription":
            data["type"] = "transcription_" + data["type"]
        data["session"] = beta_session(data["session"])
    if "item" in data:
        data["item"] = _beta_item(data["item"])
    if "response" in data:
        data["response"] = _beta_response(data["response"])
    return data


def beta_session(session: dict[str, Any]) -> dict[str, Any]:
    """A whole GA session as the flat object."""
    heard, spoken = session["audio"]["input"], session["audio"].get("output")
    flat = {k: v for k, v in session.items() if k not in ("type", "audio", "output_modalities", "max_output_tokens")}
    flat |= {name: heard[field] for name, field in _INPUT_FIELDS.items()}
    flat["input_audio_format"] = _FORMAT_NAMES[heard["format"]["type"]]
    if spoken is not None:
        flat |= {
            "modalities": _beta_modalities(session["output_modalities"]), "voice": spoken["voice"], "speed": spoken["speed"],
            "output_audio_format": _FORMAT_NAMES[spoken["format"]["type"]], "temperature": 0.8,
            "max_response_output_tokens": session["max_output_tokens"],
        }  # fmt: skip
    return flat


def _beta_modalities(modalities: list[str]) -> list[str]:
    return ["audio", "text"] if "audio" in modalities else modalities


def _beta_item(item: dict[str, Any]) -> dict[str, Any]:
    if "content" not in item:
        return item
    return item | {"content": [part | {"type": _PART_NAMES.get(part["type"], part["type"])} for part in item["content"]]}


def _beta_response(response: dict[str, Any]) -> dict[str, Any]:
    output = response["audio"]["output"]
    flat = {k: v for k, v in response.items() if k not in ("audio", "output_modalities")}
    return flat | {
        "output": [_beta_item(item) for item in response["output"]],
        "modalities": _beta_modalities(response["output_modalities"]), "voice": output["voice"],
        "output_audio_format": _FORMAT_NAMES[output["format"]["type"]], "temperature": 0.8,
    }  # fmt: skip
