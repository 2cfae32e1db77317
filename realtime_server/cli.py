"""serve, talk, models: parse, call one function."""

import argparse
import logging
import os
import sys
from pathlib import Path

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
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000)
    serve.add_argument("--model", action="append", help="a name from `realtime-server models`, or a folder; may be repeated")
    serve.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    serve.add_argument("--detector", choices=("silero", "webrtc"), default="silero", help="who hears that somebody speaks")
    serve.add_argument("--api-key-file", type=Path, help="one key a line; also the environment's REALTIME_SERVER_API_KEYS")
    serve.add_argument("--sessions", type=int, default=Settings.sessions, help="at once; more are refused")
    serve.add_argument("--sessions-per-key", type=int, help="at once with one API key")
    serve.add_argument("--requests-per-minute", type=int, default=Limits.requests_per_minute, help="responses of one API key")
    serve.add_argument("--tokens-per-minute", type=int, default=Limits.tokens_per_minute, help="of one API key, in and out")
    serve.add_argument("--session-seconds", type=int, default=Limits.session_s, help="how long a session may last")
    serve.add_argument(
        "--ping-interval", type=float, default=Settings.ping_interval_s, help="seconds between pings of a WebSocket"
    )
    serve.add_argument(
        "--ping-timeout", type=float, default=Settings.ping_timeout_s, help="seconds that a ping may stay unanswered"
    )
    serve.add_argument("--strict-tools", action="store_true", help="refuse parameters that the model cannot honour")
    serve.add_argument("--refuse-beta", action="store_true", help="refuse the beta dialect, as the hosted service does")
    serve.add_argument("--tls-certificate", type=Path, help="serve https and wss with this PEM certificate")
    serve.add_argument("--tls-key", type=Path)
    serve.add_argument("--log-level", choices=("debug", "info", "warning"), default="info")
    serve.set_defaults(run=_serve)

    talk = verbs.add_parser("talk", help="talk to a server: by microphone, or from file to file")
    talk.add_argument("--url", default="ws://127.0.0.1:8000/v1/realtime")
    talk.add_argument("--api-key", default=os.environ.get("OPENAI_API_KEY"))
    talk.add_argument("--in", dest="question", type=Path, help="a sound file with the question")
    talk.add_argument("--out", dest="answer", type=Path, help="where the answer goes, as WAV")
    talk.add_argument("--voice", default="marin")
    talk.add_argument("--instructions")
    talk.set_defaults(run=_talk)

    models = verbs.add_parser("models", help="list the models at hand")
    models.set_defaults(run=_models)
    return parser


def _keys(file: Path | None) -> Keys:
    """From the file, else from the environment (separated by commas)."""
    if file is not None:
        return Keys.from_file(file)
    return Keys.of([key.strip() for key in os.environ.get("REALTIME_SERVER_API_KEYS", "").split(",") if key.strip()])


def _serve(options: argparse.Namespace) -> int:
    settings = Settings(
        host=options.host, port=options.port, models=tuple(options.model or Settings.models),
        device=options.device, detector=options.detector,
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

    for name, folder in sorted(available().items()):
        print(f"{name}\t{folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
