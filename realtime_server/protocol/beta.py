"""The beta dialect (protocol section 3): translated here, at the door, both ways; nothing inside knows it.

A socket speaks one dialect, chosen at the upgrade. Two of the beta's events are left out because clients that still
speak it break on them: `conversation.created` and transcription deltas.
"""

from typing import Annotated, Any

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from realtime_server.protocol import codec
from realtime_server.protocol.client_events import AnyClientEvent, ResponseCreate, SessionUpdate
from realtime_server.protocol.errors import ClientError, from_validation, listed, not_supported, wrong_type
from realtime_server.protocol.server_events import AnyServerEvent
from realtime_server.protocol.shapes import Decimal

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
_LEFT_OUT = "conversation.item.done"
_LEFT_OUT_OF_CONVERSATIONS = "conversation.item.input_audio_transcription.delta"
_PART_NAMES = {"output_text": "text", "output_audio": "audio"}
_INPUT_FIELDS = {
    "input_audio_format": "format", "input_audio_transcription": "transcription",
    "input_audio_noise_reduction": "noise_reduction", "turn_detection": "turn_detection",
}  # fmt: skip
_OUTPUT_FIELDS = {"output_audio_format": "format", "voice": "voice", "speed": "speed"}
_AUDIO_FIELDS = {
    **{own: ("input", ga) for own, ga in _INPUT_FIELDS.items()},
    **{own: ("output", ga) for own, ga in _OUTPUT_FIELDS.items()},
}
_OWN_PATHS = tuple(
    (f"{whole}.{ga}", f"{whole}.{own}")
    for whole in ("session", "response")
    for ga, own in (
        *((f"audio.input.{ga}", own) for own, ga in _INPUT_FIELDS.items()),
        *((f"audio.output.{ga}", own) for own, ga in _OUTPUT_FIELDS.items()),
        ("output_modalities", "modalities"),
        ("max_output_tokens", "max_response_output_tokens"),
    )
)
"""Where a GA field stands in the client's own JSON."""
DEFAULT_TEMPERATURE = 0.8
_TEMPERATURE: TypeAdapter[float] = TypeAdapter(Annotated[Decimal, Field(ge=0.6, le=1.2)])


class Beta:
    """One connection's dialect. It keeps what the client sent and the GA has no place for, so that it is shown again.

    `decode` and what the session has to say to that event come in turns: an asked temperature becomes the session's with
    `session.updated`, or one response's with `response.created`, and is forgotten with `error`.
    """

    def __init__(self, temperature: float = DEFAULT_TEMPERATURE) -> None:
        self._temperature = temperature
        self._asked: float | None = None
        self._of_responses: dict[str, float] = {}
        self._response_limit = "max_response_output_tokens"
        self._transcribes = False

    def decode(self, text: str | bytes) -> AnyClientEvent:
        """One beta event as the GA event that means the same; ClientError as `codec.decode`."""
        self._asked = None
        data = codec.json_object(text)
        response = data.get("response")
        if isinstance(response, dict):
            self._response_limit = "max_output_tokens" if "max_output_tokens" in response else "max_response_output_tokens"
        try:
            asked, event = _asked_temperature(data), codec.event_of(_ga_event(data))
        except ClientError as error:
            error.event_id = codec.event_id_of(data)
            raise
        self._asked = asked
        return event if asked is None else _at(event, asked)

    def encode(self, event: AnyServerEvent) -> list[str]:
        """One GA event as the beta event that means the same; nothing where the beta had none."""
        data = self.translate(codec.as_data(event))
        return [] if data is None else [orjson.dumps(data).decode()]

    def translate(self, data: dict[str, Any]) -> dict[str, Any] | None:
        kind = data["type"]
        if kind == _LEFT_OUT or (kind == _LEFT_OUT_OF_CONVERSATIONS and not self._transcribes):
            return None
        data = data | {"type": _EVENT_NAMES.get(kind, kind)}
        if kind == "error":
            self._asked = None
            data["error"] = self._in_own_words(data["error"])
        if "session" in data:
            if kind == "session.updated":
                self._temperature, self._asked = self._asked or self._temperature, None
            self._transcribes = data["session"]["type"] == "transcription"
            if self._transcribes:
                data["type"] = "transcription_" + data["type"]
            data["session"] = beta_session(data["session"], self._temperature)
        if "item" in data:
            data["item"] = _beta_item(data["item"])
        if "response" in data:
            data["response"] = _beta_response(data["response"], self._temperature_of(kind, data["response"]["id"]))
        return data

    def _temperature_of(self, kind: str, response_id: str) -> float:
        if kind == "response.created":
            self._of_responses[response_id] = self._asked or self._temperature
            self._asked = None
        if kind == "response.done":
            return self._of_responses.pop(response_id, self._temperature)
        return self._of_responses.get(response_id, self._temperature)

    def _in_own_words(self, error: dict[str, Any]) -> dict[str, Any]:
        param, message = own_words(error["param"], error["message"])
        if param == "response.max_response_output_tokens":
            own = f"response.{self._response_limit}"
            param, message = own, message.replace(param, own)
        return error | {"param": param, "message": message}


def own_words(param: str | None, message: str) -> tuple[str | None, str]:
    """A GA error's `param`, and the message that quotes it, by the client's own names."""
    ga, own = next((pair for pair in _OWN_PATHS if _begins(param, pair[0])), ("", ""))
    if param is None or not ga:
        return param, message
    # A format is one word here.
    own += "" if ga.endswith(".format") else param.removeprefix(ga)
    return own, message.replace(f"'{param}'", f"'{own}'")


def of_flat_body(error: ClientError) -> ClientError:
    """An error about a session that is itself the body."""
    param, message = own_words(error.param, error.message)
    if param is None or not param.startswith("session."):
        return error
    bare = param.removeprefix("session.")
    return ClientError(message.replace(f"'{param}'", f"'{bare}'"), error.code, bare)


def _begins(param: str | None, path: str) -> bool:
    """Does `param` name the field at `path`, or something inside it?"""
    return param is not None and param.startswith(path) and param[len(path) : len(path) + 1] in ("", ".", "[")


def _at(event: AnyClientEvent, temperature: float) -> AnyClientEvent:
    """The event with the temperature that it asks for."""
    if isinstance(event, SessionUpdate):
        return event.at(temperature)
    if isinstance(event, ResponseCreate) and event.response is not None:
        return event.model_copy(update={"response": event.response.at(temperature)})
    return event


def _asked_temperature(data: dict[str, Any]) -> float | None:
    """The event's own, if it has one; ClientError for one out of range."""
    for kind, whole in (("session.update", "session"), ("response.create", "response")):
        if data.get("type") == kind and isinstance(data.get(whole), dict):
            return temperature_of(data[whole], whole)
    return None


def temperature_of(flat: dict[str, Any], prefix: str = "session") -> float | None:
    """The temperature of a flat session or response; ClientError for one out of range."""
    if flat.get("temperature") is None:
        return None
    try:
        return _TEMPERATURE.validate_python(flat["temperature"])
    except ValidationError as error:
        raise from_validation(error, f"{prefix}.temperature") from None


# --- from the client --------------------------------------------------------------------------------------------------


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
    if not isinstance(name, str):
        raise wrong_type(name, param, "a string")
    if name not in _FORMATS:
        raise not_supported(name, param, listed(list(_FORMATS)))
    return _FORMATS[name]


def _modalities(value: Any) -> Any:
    """Both together meant speech with its transcript: the GA's audio."""
    return ["audio"] if isinstance(value, list) and "audio" in value else value


def _tool_choice(value: Any) -> Any:
    return value if not isinstance(value, str) or value in ("auto", "none", "required") else {"type": "function", "name": value}


def ga_session(flat: dict[str, Any], kind: str) -> dict[str, Any]:
    """A flat session, or a part of one, as a GA patch; ClientError for a format that is none."""
    session: dict[str, Any] = {"type": kind}
    audio: dict[str, dict[str, Any]] = {}
    for key, value in flat.items():
        if key in _AUDIO_FIELDS:
            side, field = _AUDIO_FIELDS[key]
            audio.setdefault(side, {})[field] = _format(value, f"session.{key}") if field == "format" else value
        elif key not in ("temperature", "type") and (kind, key) != ("transcription", "modalities"):
            session |= _ga_field(key, value, "session")
    return session | ({"audio": audio} if audio else {})


def _ga_response(flat: dict[str, Any]) -> dict[str, Any]:
    response: dict[str, Any] = {}
    output: dict[str, Any] = {}
    for key, value in flat.items():
        if key in ("voice", "output_audio_format"):
            field = _OUTPUT_FIELDS[key]
            output[field] = _format(value, f"response.{key}") if field == "format" else value
        elif key == "input" and isinstance(value, list):
            response[key] = [_ga_item(item) if isinstance(item, dict) else item for item in value]
        elif key != "temperature":
            response |= _ga_field(key, value, "response")
    return response | ({"audio": {"output": output}} if output else {})


def _ga_field(key: str, value: Any, whole: str) -> dict[str, Any]:
    """What a session and a response have in common."""
    match key:
        case "modalities":
            return {"output_modalities": _modalities(value)}
        case "max_response_output_tokens":
            return {"max_output_tokens": value}
        case "tool_choice":
            return {key: _tool_choice(value)}
        case "audio":
            raise ClientError(f"Unknown parameter: '{whole}.audio'.", "unknown_parameter", f"{whole}.audio")
    return {key: value}


def _ga_item(item: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(item.get("content"), list):
        return item
    return item | {"content": [_ga_part(part) for part in item["content"]]}


def _ga_part(part: Any) -> Any:
    name = next((ga for ga, own in _PART_NAMES.items() if isinstance(part, dict) and part.get("type") == own), None)
    return part if name is None else part | {"type": name}


# --- to the client ----------------------------------------------------------------------------------------------------


def beta_session(session: dict[str, Any], temperature: float = DEFAULT_TEMPERATURE) -> dict[str, Any]:
    """A whole GA session as the flat object."""
    heard, spoken = session["audio"]["input"], session["audio"].get("output")
    flat = {k: v for k, v in session.items() if k not in ("type", "audio", "output_modalities", "max_output_tokens")}
    flat |= {name: heard[field] for name, field in _INPUT_FIELDS.items()}
    flat["input_audio_format"] = _FORMAT_NAMES[heard["format"]["type"]]
    if spoken is not None:
        flat |= {
            "modalities": _beta_modalities(session["output_modalities"]), "voice": spoken["voice"], "speed": spoken["speed"],
            "output_audio_format": _FORMAT_NAMES[spoken["format"]["type"]], "temperature": temperature,
            "max_response_output_tokens": session["max_output_tokens"],
        }  # fmt: skip
    return flat


def _beta_modalities(modalities: list[str]) -> list[str]:
    return ["audio", "text"] if "audio" in modalities else modalities


def _beta_item(item: dict[str, Any]) -> dict[str, Any]:
    if "content" not in item:
        return item
    return item | {"content": [part | {"type": _PART_NAMES.get(part["type"], part["type"])} for part in item["content"]]}


def _beta_response(response: dict[str, Any], temperature: float) -> dict[str, Any]:
    output = response["audio"]["output"]
    flat = {k: v for k, v in response.items() if k not in ("audio", "output_modalities")}
    return flat | {
        "output": [_beta_item(item) for item in response["output"]],
        "modalities": _beta_modalities(response["output_modalities"]), "voice": output["voice"],
        "output_audio_format": _FORMAT_NAMES[output["format"]["type"]], "temperature": temperature,
    }  # fmt: skip
