"""The untuned model's own short answers to everyday questions, so that tuning does not unlearn them.

python -m realtime_server.training.starling.distil MODEL

Greedy. An answer is kept where it can be spoken: one or two whole sentences, no lists, nothing about who made the model.
"""

import argparse
import json
import re
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from realtime_server.training.starling.tables import FOLDER, lines

INSTRUCTIONS = "You are a voice assistant. Answer every question in one short, correct sentence of at most twenty words."
BATCH, MOST_TOKENS = 32, 60
_REFUSED = re.compile(
    r"[*#:\[\]`\n]|\b1\.|\d\)|Alibaba|OpenAI|Qwen|AI (?:language )?model|As an AI|I'm sorry|I apologi[sz]e|cannot assist",
    re.IGNORECASE,
)


def spoken(answer: str) -> str | None:
    """Its first one or two sentences, or None where it is not fit to be spoken."""
    sentences = re.findall(r"[^.!?]+[.!?]+(?=\s|$)", answer.strip())
    kept = "".join(sentences[:2]).strip()
    if len(kept.split()) > 32:
        kept = "".join(sentences[:1]).strip()
    if not kept or _REFUSED.search(kept) or not kept.isascii() or not 2 <= len(kept.split()) <= 32:
        return None
    return kept


@torch.inference_mode()
def answers(model: Path, questions: list[str]) -> list[tuple[str, str]]:
    tokenizer = AutoTokenizer.from_pretrained(model, padding_side="left")
    net = AutoModelForCausalLM.from_pretrained(model, dtype=torch.bfloat16)
    result = []
    for n in range(0, len(questions), BATCH):
        asked = questions[n : n + BATCH]
        chats = [[{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": question}] for question in asked]
        texts = [tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat in chats]
        inputs = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
        ids = net.generate(**inputs, max_new_tokens=MOST_TOKENS, do_sample=False, repetition_penalty=1.0)
        written = tokenizer.batch_decode(ids[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        result += [(question, answer) for question, text in zip(asked, written, strict=True) if (answer := spoken(text))]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    kept = answers(options.model, lines("questions.txt"))
    rows = [json.dumps({"question": question, "answer": answer}, ensure_ascii=False) for question, answer in kept]
    (FOLDER / "distilled.jsonl").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
