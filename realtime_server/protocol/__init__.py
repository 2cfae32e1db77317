"""The wire: what each JSON event means, and nothing of what happens next.

Below: pydantic. Above: `session` answers these events, `transport` carries them. Not known here: sockets, state, audio.
Comments here and above that cite “protocol 2.3” mean that section of `docs/protocol.md`.
"""
