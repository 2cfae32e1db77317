"""Samples: formats, rates, frames. numpy only; every unit is in a name. Not known here: sessions, models, sockets."""
