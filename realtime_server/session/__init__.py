"""The conversation, sans-I/O: events in, events and commands out. Eight calls, see `session.Session`.

Below: `protocol`, `messages`, `audio`, `turns.machine`. Above: `transport` is its shell. Not known here: sockets, tasks,
threads, clocks, networks.
"""
