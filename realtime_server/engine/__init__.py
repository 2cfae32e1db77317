"""The speech model: commands in, outputs out, on one thread that owns the device. torch lives here.

Below: `messages`, `audio`. Above: `transport.engines`. Not known here: the protocol, sessions' states, sockets.
"""
