"""What Wren is trained for: the losses of its two kinds of stream, by name."""

import torch
import torch.nn.functional as F
from torch import Tensor

from realtime_server.engine.nets.wren import Wren
from realtime_server.training.wren.dataset import IGNORE, ROUND, Speech, Thoughts, rounded


def hear(model: Wren, batch: Thoughts) -> dict[str, Tensor]:
    """Thinking streams with heard frames: words and reply (`text`), letters (`ctc`; at mid depth `early`), end (`ended`)."""
    assert batch.ended is not None
    trunk, tapped, heard = heard_through(model, batch)
    asked = batch.ended != IGNORE
    scores = model.ended_logits(heard)[asked].float()
    ended = F.binary_cross_entropy_with_logits(scores, batch.ended[asked].float())
    return {
        "text": text_loss(model, trunk, batch.targets), "ctc": ctc_loss(model.ctc_logits(heard), batch),
        "early": ctc_loss(model.early_ctc_logits(tapped), batch), "ended": ended,
    }  # fmt: skip


def heard_through(model: Wren, batch: Thoughts) -> tuple[Tensor, Tensor, Tensor]:
    """The trunk's output [B, T, width]; at the frames [B, F, width], at mid depth and at the end."""
    assert batch.mel is not None and batch.frame_at is not None and batch.frame_mask is not None
    x = model.text(batch.ids)
    heard = model.ear(batch.mel) * batch.frame_mask[..., None]
    places = batch.frame_at[..., None].expand_as(heard)
    x = x * (~frame_positions(batch, x.shape[1]))[..., None]
    trunk, tapped = model.think(x.scatter_add(1, places, heard.to(x.dtype)))
    return trunk, tapped.gather(1, places), trunk.gather(1, places)


def ctc_loss(logits: Tensor, batch: Thoughts) -> Tensor:
    """Nats for each letter; logits [B, 2 F, labels]."""
    assert batch.letters is not None and batch.letter_lengths is not None
    assert batch.frame_mask is not None and batch.transcribed is not None
    losses = F.ctc_loss(logits.float().log_softmax(-1).transpose(0, 1), batch.letters, 2 * batch.frame_mask.sum(1),
                        batch.letter_lengths, reduction="none", zero_infinity=True)  # fmt: skip
    # A row of which nothing is to be heard counts like a short one, not by its length.
    losses = losses[batch.transcribed] / batch.letter_lengths[batch.transcribed].clamp(min=12)
    return losses.sum() / max(1, len(losses))


def transcribe(model: Wren, batch: Thoughts) -> dict[str, Tensor]:
    """Heard frames without context or reply: the `words`, and the `letters`."""
    found = hear(model, batch)
    return {"words": found["text"], "letters": found["ctc"], "early_letters": found["early"]}


def alone(model: Wren, batch: Thoughts) -> dict[str, Tensor]:
    """Turns of one word."""
    found = hear(model, batch)
    return {"alone": found["text"], "alone_letters": found["ctc"], "alone_early": found["early"], "alone_ended": found["ended"]}


def keep(before: Wren, model: Wren, batch: Thoughts) -> dict[str, Tensor]:
    """How far what the model makes of heard frames is from what it made of them `before` (learning without forgetting, Li and
    Hoiem 2016): nats of Kullback-Leibler divergence for each wanted token, each half of a frame's letters, each frame's end."""
    with torch.no_grad():
        wanted = _made_of(before, batch)
    pairs = zip(_made_of(model, batch), wanted, strict=True)
    words, letters, ended = (F.kl_div(*pair, reduction="batchmean", log_target=True) for pair in pairs)
    return {"kept": words, "kept_letters": letters, "kept_ended": ended}


def _made_of(model: Wren, batch: Thoughts) -> tuple[Tensor, Tensor, Tensor]:
    """Log-probabilities of the wanted tokens' places [n, vocabulary], of letters [m, labels], of the end [m / 2, 2]."""
    assert batch.frame_mask is not None
    trunk, _, heard = heard_through(model, batch)
    words = model.text_logits(trunk[batch.targets != IGNORE])
    letters = model.ctc_logits(heard)[batch.frame_mask.repeat_interleave(2, 1)]
    ended = model.ended_logits(heard[batch.frame_mask])
    found = words, letters, torch.stack([torch.zeros_like(ended), ended], -1)
    return tuple(logits.float().log_softmax(-1) for logits in found)  # type: ignore[return-value]


def think(model: Wren, batch: Thoughts) -> dict[str, Tensor]:
    """The reply to `written` thinking streams."""
    return {"written": text_loss(model, model.think(model.text(batch.ids))[0], batch.targets)}


def frame_positions(batch: Thoughts, length: int) -> Tensor:
    """[B, T] True where a frame stands."""
    assert batch.frame_at is not None and batch.frame_mask is not None
    marks = torch.zeros(len(batch.ids), length, dtype=torch.bool, device=batch.ids.device)
    return marks.scatter(1, batch.frame_at, batch.frame_mask)


def text_loss(model: Wren, trunk: Tensor, targets: Tensor) -> Tensor:
    """Mean over the wanted tokens; 0 where none is wanted."""
    places = wanted(targets)
    trunk, targets = trunk.flatten(0, 1)[places], targets.flatten()[places]
    loss = F.cross_entropy(
        model.text_logits(trunk).float(), targets, label_smoothing=0.02, reduction="sum", ignore_index=IGNORE
    )
    return loss / (targets != IGNORE).sum().clamp(min=1)


def wanted(targets: Tensor) -> Tensor:
    """[B, T] -> flat indices of what is not to be ignored, with some that is, up to a round number: see `rounded`."""
    flat = targets.flatten()
    number = min(len(flat), rounded(int((flat != IGNORE).sum()), 4 * ROUND))
    return (flat == IGNORE).to(torch.int8).argsort(stable=True)[:number]


def speak(model: Wren, batch: Speech) -> dict[str, Tensor]:
    """Speaking streams: the audio tokens (`codes`, mean over the codebooks) and the pointer (`advance`)."""
    spoken = model.speak(model.speech_input(batch.before, batch.windows, batch.voices))
    places = wanted(batch.advances)
    spoken, codes, advances = spoken.flatten(0, 1)[places], batch.codes.flatten(0, 1)[places], batch.advances.flatten()[places]
    chosen = codes.clamp(min=0)
    losses = [F.cross_entropy(model.mouth.logits(spoken, chosen, k).float(), codes[:, k]) for k in range(codes.shape[1])]
    return {"codes": torch.stack(losses).mean(), "advance": F.cross_entropy(model.advance(spoken).float(), advances)}
