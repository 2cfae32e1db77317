"""Fits Wren's tokenizer: byte-pair encoding of the domain's own words, single characters for all others.

python -m realtime_server.training.wren.vocabulary WORK
"""

import argparse
import random
import string
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from realtime_server.engine.families.wren.script import MARKS
from realtime_server.engine.families.wren.words import identifier_words
from realtime_server.training.wren import domain
from realtime_server.training.wren.dialogue import Say
from realtime_server.training.wren.lexicon import NAMES


def corpus(dialogues: int) -> list[str]:
    rng, texts = random.Random("vocabulary"), []
    for _ in range(dialogues):
        dialogue = domain.sample_text(rng)
        texts.append(dialogue.user if isinstance(dialogue.user, str) else dialogue.user.text)
        if isinstance(dialogue.reply, Say):
            texts.append(dialogue.reply.text)
        else:
            texts += [identifier_words(dialogue.reply.name), *(word for pair in dialogue.reply.arguments for word in pair)]
    return texts + NAMES * 20


def fit(size: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()])
    tokenizer.decoder = decoders.Metaspace()
    alphabet = ["\u2581", *(c for c in string.printable if not c.isspace())]
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(MARKS), initial_alphabet=alphabet, min_frequency=2, show_progress=False
    )
    tokenizer.train_from_iterator(corpus(20_000), trainer)
    return tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--size", type=int, default=900)
    options = parser.parse_args()
    fit(options.size).save(str(options.work / "tokenizer.json"))


if __name__ == "__main__":
    main()
