"""The socket: asyncio lives here (and in `app`, `cli`). Shells around `session.Session`, and the bridge to the threads.

Below: `session`, `engine`, `turns`. Above: `app`. Not known here: the order of events, models, audio formats.
"""
