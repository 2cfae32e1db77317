"""Tokens name the nearest sound that the tables can make, and decoding is linear in them."""

import torch

from realtime_server.engine.nets.codec import STACK
from realtime_server.engine.nets.vocoder import PARAMETERS
from tests.conftest import tiny_codec


def test_encoding_what_was_decoded_gives_it_back() -> None:
    codec = tiny_codec()
    codec.basis.copy_(torch.linalg.qr(torch.randn(STACK * PARAMETERS, 8))[0].T)
    codec.table[1] *= 0.01
    codes = torch.randint(16, (20, 2))
    frames = codec.decode(codes)
    assert frames.shape == (20 * STACK, PARAMETERS)
    assert torch.equal(codec.encode(frames.view(20, -1)), codes)


def test_more_books_are_never_worse() -> None:
    codec = tiny_codec()
    codec.basis.copy_(torch.linalg.qr(torch.randn(STACK * PARAMETERS, 8))[0].T)
    codec.table[:, 0] = 0.0
    stacked = torch.randn(50, STACK * PARAMETERS) + codec.mean
    codes = codec.encode(stacked)
    target = codec.project(stacked)
    first = (target - codec.table[0][codes[:, 0]]).norm(dim=1)
    both = (target - codec.table[0][codes[:, 0]] - codec.table[1][codes[:, 1]]).norm(dim=1)
    assert (both <= first + 1e-5).all()
