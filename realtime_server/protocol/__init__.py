"""The wire: what each JSON event means, and nothing of what happens next.

Below: pydantic. Above: `session` answers these events, `transport` carries them. Not known here: sockets, state, audio.
"""
