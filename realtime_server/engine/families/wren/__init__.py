"""Wren, the embedded model: how its network hears a turn, writes a reply and speaks it, many sessions in one batch."""
