"""The shells: asyncio lives here (and in `app`, `cli`). A call holds a `session.Session`, its engine and its shells.

Below: `session`, `engine`, `turns`. Above: `app`. Not known here: the order of events, models, audio formats.
"""
