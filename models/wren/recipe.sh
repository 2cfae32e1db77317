#!/usr/bin/env bash
# Wren from nothing, or further from a finished model. usage: [START=models/wren] recipe.sh WORK [PEOPLE [READERS]]
#   WORK     a folder for everything that is made on the way (about 4 GB)
#   PEOPLE   recordings of real people ordering coffee, with labels.json (Picovoice speech-to-intent benchmark)
#   READERS  read sentences with transcripts.json (LJ Speech)
#   START    begin with this model's weights and tokenizer: what the shipped weights did (see the card)
# Debian packages: espeak-ng flite festival festvox-us-slt-hts festvox-kdlpc16k festvox-kallpc16k
# Hours on two slow cores without AVX-512: synthesis 0.4, codec 0.2, training 1.3 for each 2600 steps. All seeds are fixed.
# TINY=1 makes everything in a minute or two, to see that it runs; what it makes knows nothing.
set -euo pipefail
work=$1
people=${2:-}
readers=${3:-}
if [ -n "${TINY:-}" ]; then users=400 voices=200 first=20 steps=30; else users=44000 voices=4500 first=1200 steps=2600; fi
wren() { python -W ignore -m "realtime_server.training.wren.$1" "${@:2}"; }

mkdir -p "$work"
if [ -n "${START:-}" ]; then cp "$START/tokenizer.json" "$work/"; else wren vocabulary "$work"; fi
wren synthesis voices "$work" --number "$voices"
wren synthesis users "$work" --number "$users"
[ -f "$work/speech.npz" ] || wren codec "$work"
more=(--compile ${START:+--start "$START"} ${people:+--people "$people"} ${readers:+--readers "$readers"})
wren train "$work" --steps "$steps" --until "$first" --rows 28 8 96 "${more[@]}"
wren train "$work" --steps "$steps" --rows 32 8 80 "${more[@]}"
wren export "$work" "${OUT:-models/wren}"
