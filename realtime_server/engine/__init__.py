"""The speech model: commands in, outputs out, on one thread that owns the device. torch lives here.

Below: `messages`, `audio`. Above: `transport.bridge`. Not known here: the protocol, sessions' states, sockets.
"""
