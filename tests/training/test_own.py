"""What a user adds is read as it is meant, or refused with the place at fault."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime_server.training.wren import domain, export, own, people
from realtime_server.training.wren.dialogue import Call, Say

SENTENCES = """\
open the pod bay doors\tI am afraid I can not do that.

make me a sandwich with ham\tmake_sandwich(filling=ham)
a toasted sandwich please\tmake_sandwich(bread=toasted)
stop everything\tstop()
"""


def test_sentences_words_and_recordings(tmp_path: Path) -> None:
    (tmp_path / "sentences.tsv").write_text(SENTENCES)
    (tmp_path / "words.txt").write_text("Blorf\nquux\n")
    soundfile.write(tmp_path / "a.flac", np.random.default_rng(0).normal(0, 0.1, (4000, 2)), 8000)
    label = {"said": "Make it TOASTED!", "reply": "make_sandwich(bread=toasted, filling=ham)"}
    (tmp_path / "recordings.json").write_text(json.dumps({"a.flac": label}))
    found = own.load(tmp_path)
    assert [d.user for d in found.dialogues] == [
        "open the pod bay doors", "make me a sandwich with ham", "a toasted sandwich please", "stop everything"
    ]  # fmt: skip
    assert found.dialogues[0].reply == Say("I am afraid I can not do that.")
    assert found.dialogues[3].reply == Call("stop", ())
    ((path, dialogue),) = found.recordings
    assert dialogue.user == "make it toasted"
    # All calls of a function share its parameters, in one order.
    assert dialogue.tools[0].parameters == ("filling", "bread")
    assert dialogue.reply == Call("make_sandwich", (("filling", "ham"), ("bread", "toasted")))
    heard = people.heard(path, dialogue, "own")
    assert abs(len(heard.mel) - 50) <= 2
    assert {"I am afraid I can not do that.", "Blorf.", "Quux."} == set(found.replies())


def test_a_voice_alone_is_enough(tmp_path: Path) -> None:
    (tmp_path / "voices" / "anna").mkdir(parents=True)
    (tmp_path / "voices" / "anna" / "a.flac").write_bytes(b"")
    (tmp_path / "voices" / "anna" / "transcripts.json").write_text('{"a.flac": "Good morning."}')
    found = own.load(tmp_path)
    assert found.voices == (("anna", ((tmp_path / "voices" / "anna" / "a.flac", "Good morning."),)),)
    assert not found
    assert found.to_speak(random.Random(0)) == []


def test_a_voice_has_a_row_of_its_own(tmp_path: Path) -> None:
    mine = own.Own(voices=(("anna", ()), ("bert", ())))
    assert export.speaker_rows(None, mine) == {"hts": 0, "rms": 1, "anna": 2, "bert": 3}
    listed = {"marin": {"speaker": 0}, "bert": {"speaker": 0, "pitch": 1.2}, "anna": {"speaker": 2}, "carl": {"speaker": 3}}
    (tmp_path / "voices.json").write_text(json.dumps(listed))
    # Anna is trained further; Bert was the woman with another pitch, and becomes a speaker.
    rows = export.speaker_rows(tmp_path, mine)
    assert rows == {"hts": 0, "rms": 1, "anna": 2, "bert": 4}
    voices = export.voices_of(tmp_path, rows, decoder=True)
    assert {name: voice["speaker"] for name, voice in voices.items()} == {"marin": 0, "bert": 4, "anna": 2, "carl": 3, "rms": 1}


def test_each_is_spoken_often_and_offered_its_function(tmp_path: Path) -> None:
    (tmp_path / "sentences.tsv").write_text(SENTENCES)
    (tmp_path / "words.txt").write_text("blorf")
    found, rng = own.load(tmp_path), random.Random(0)
    spoken = [str(d.user) for d in found.to_speak(rng)]
    assert len(spoken) == 4 * own.PER_SENTENCE + own.PER_WORD
    assert sum("blorf" in text for text in spoken) == own.PER_WORD
    for _ in range(50):
        dialogue = domain.in_context(found.sample(rng), rng)
        if isinstance(dialogue.reply, Call):
            (tool,) = [tool for tool in dialogue.tools if tool.name == dialogue.reply.name]
            assert {key for key, _ in dialogue.reply.arguments} <= set(tool.parameters)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("sentences.tsv", "hello\n", "sentences.tsv:1: two columns"),
        ("sentences.tsv", "hello\tHi.\n\n...\tHi.", "sentences.tsv:3: nothing is said"),
        ("sentences.tsv", "hello\t!", "sentences.tsv:1: the reply has no words"),
        ("sentences.tsv", "hello\tgreet(loudly)", "sentences.tsv:1: 'loudly' is not key=value"),
        ("words.txt", "fine\ntwo words", "words.txt:2: 'two words' is not one English word"),
        ("recordings.json", '{"a.wav": {"said": "hello"}}', "recordings.json: a.wav: 'said' and 'reply' are needed"),
        ("recordings.json", '{"a.wav": {"said": "hello", "reply": "Hi."}}', "recordings.json: a.wav: there is no such file"),
        ("notes.txt", "nothing", "has no sentences.tsv"),
        ("voices/marin/transcripts.json", "{}", "voices/marin: a voice needs a name in small letters that is none of"),
        ("voices/Anna/transcripts.json", "{}", "voices/Anna: a voice needs a name in small letters"),
        ("voices/anna/notes.txt", "", "voices/anna: there is no transcripts.json"),
        ("voices/anna/transcripts.json", '{"a.wav": "..."}', "a.wav: the words that are read are needed"),
        ("voices/anna/transcripts.json", '{"a.wav": "hello"}', "voices/anna/transcripts.json: a.wav: there is no such file"),
    ],
)
def test_what_cannot_be_taken_is_named(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
    with pytest.raises(own.OwnMaterialError, match=r".*" + told.replace("(", r"\(")):
        own.load(tmp_path)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(own.OwnMaterialError, match="is not a folder"):
        own.load(tmp_path / "none")
