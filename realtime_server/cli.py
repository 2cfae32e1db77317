"""serve, talk, models: parse, call one function."""

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import Any

from realtime_server.session.limits import Limits
from realtime_server.settings import Keys, Settings, SettingsError


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except SettingsError as error:
        print(f"realtime-server: {error}", file=sys.stderr)
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="realtime-server", description="A speech-to-speech server that you run yourself.")
    verbs = parser.add_subparsers(required=True, metavar="serve | talk | models")

    serve = verbs.add_parser("serve", help="start the server")
    _add_address(serve)
    _add_bounds(serve)
    serve.set_defaults(run=_serve)

    talk = verbs.add_parser("talk", help="talk to a server: by microphone, or from file to file")
    _add_talk(talk)
    talk.set_defaults(run=_talk)

    models = verbs.add_parser("models", help="list the models at hand: name, parameters, size of the weights, folder")
    models.set_defaults(run=_models)
    return parser


def _flag(parser: argparse.ArgumentParser, name: str, text: str, shown: str = "%(default)s", **options: Any) -> None:
    """A flag with its help, which ends with its default; `shown` is what that is called where the value says nothing."""
    parser.add_argument(name, help=f"{text} (default: {shown})", **options)


def _add_address(serve: argparse.ArgumentParser) -> None:
    """Where, with what, and for whom."""
    _flag(serve, "--host", "address to listen on; any other than this machine's own needs keys", default=Settings.host)
    _flag(serve, "--port", "port to listen on", type=int, default=Settings.port)
    _flag(serve, "--model", "a name from `realtime-server models`, or a folder; may be repeated, the first is the one where "
          "no other is named", ", ".join(Settings.models), action="append")  # fmt: skip
    _flag(serve, "--thinker", "the instruct model that thinks in the place of the model's own: a folder or a hub's name",
          "the model's own")  # fmt: skip
    _flag(serve, "--transcriber", "a model that has an ear, by name or folder: what the user said is transcribed by it",
          "each model's own", default=Settings.transcriber)  # fmt: skip
    _flag(serve, "--device", "where the model runs", choices=("auto", "cpu", "cuda"), default=Settings.device)
    _flag(serve, "--detector", "who hears that somebody speaks", choices=("silero", "webrtc"), default=Settings.detector)
    _flag(serve, "--api-key-file", "one key a line", "the environment's REALTIME_SERVER_API_KEYS, else no keys", type=Path)
    _flag(serve, "--tls-certificate", "serve https and wss with this PEM certificate", "none", type=Path)
    _flag(serve, "--tls-key", "the certificate's key, PEM", "none", type=Path)
    _flag(serve, "--strict-tools", "refuse parameters that the model cannot honour", "off", action="store_true")
    _flag(serve, "--refuse-beta", "refuse the beta dialect, as the hosted service does", "off", action="store_true")
    _flag(serve, "--log-level", "how much is told", choices=("debug", "info", "warning"), default="info")


def _add_bounds(serve: argparse.ArgumentParser) -> None:
    """How much, how often and how long."""
    _flag(serve, "--sessions", "sessions at once; more are refused", type=int, default=Settings.sessions)
    _flag(serve, "--sessions-per-key", "sessions at once with one API key", "as many as in all", type=int)
    _flag(serve, "--requests-per-minute", "responses of one API key", type=int, default=Limits.requests_per_minute)
    _flag(serve, "--tokens-per-minute", "tokens of one API key, in and out", type=int, default=Limits.tokens_per_minute)
    _flag(serve, "--session-seconds", "how long a session may last", type=int, default=Limits.session_s)
    _flag(serve, "--ping-interval", "seconds between pings of a WebSocket", type=float, default=Settings.ping_interval_s)
    _flag(serve, "--ping-timeout", "seconds that a ping may stay unanswered", type=float, default=Settings.ping_timeout_s)


def _add_talk(talk: argparse.ArgumentParser) -> None:
    _flag(
        talk,
        "--url",
        "the server: http, https, ws or wss, with or without /v1/realtime",
        default="ws://127.0.0.1:8000/v1/realtime",
    )
    _flag(talk, "--api-key", "sent as a bearer token", "the environment's OPENAI_API_KEY, else none",
          default=os.environ.get("OPENAI_API_KEY"))  # fmt: skip
    _flag(talk, "--in", "a sound file with the question", "the microphone", dest="question", type=Path)
    _flag(talk, "--out", "where the answer goes, as WAV", "nowhere, or the loudspeaker", dest="answer", type=Path)
    _flag(talk, "--voice", "the voice that answers", default="marin")
    _flag(talk, "--instructions", "the session's instructions", "the server's", default=None)


def _keys(file: Path | None) -> Keys:
    """From the file, else from the environment (separated by commas)."""
    if file is not None:
        return Keys.from_file(file)
    given = os.environ.get("REALTIME_SERVER_API_KEYS", "")
    keys = [key.strip() for key in given.split(",") if key.strip()]
    if given.strip() and not keys:
        raise SettingsError("REALTIME_SERVER_API_KEYS holds no key.")
    return Keys.of(keys)


def _serve(options: argparse.Namespace) -> int:
    settings = Settings(
        host=options.host, port=options.port, models=tuple(options.model or Settings.models),
        thinker=options.thinker, transcriber=options.transcriber, device=options.device, detector=options.detector,
        keys=_keys(options.api_key_file), sessions=options.sessions, sessions_per_key=options.sessions_per_key,
        limits=Limits(
            requests_per_minute=options.requests_per_minute, tokens_per_minute=options.tokens_per_minute,
            session_s=options.session_seconds, strict_tools=options.strict_tools,
        ),
        ping_interval_s=options.ping_interval, ping_timeout_s=options.ping_timeout, refuse_beta=options.refuse_beta,
        tls_certificate=options.tls_certificate, tls_key=options.tls_key,
    )  # fmt: skip
    logging.basicConfig(level=options.log_level.upper(), format="%(asctime)s %(name)s %(message)s")
    from realtime_server.engine.contract import ModelError
    from realtime_server.serving import serve

    try:
        serve(settings)
    except ModelError as error:
        raise SettingsError(str(error)) from None
    return 0


def _talk(options: argparse.Namespace) -> int:
    from realtime_server.talking import talk

    return talk(options.url, options.api_key, options.question, options.answer, options.voice, options.instructions)


def _models(_: argparse.Namespace) -> int:
    from realtime_server.engine.loader import available
    from realtime_server.listing import table

    print(table(available()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
