"""Starling, the embedded model that anybody can talk to: a recogniser, an instruct model and a talker, joined in one engine."""
