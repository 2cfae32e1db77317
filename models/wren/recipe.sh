#!/usr/bin/env bash
# Wren from nothing. usage: recipe.sh WORK [PEOPLE]
#   WORK    a folder for everything that is made on the way (about 1 GB)
#   PEOPLE  recordings of real people ordering coffee, with labels.json (Picovoice speech-to-intent benchmark)
# Debian packages: espeak-ng flite festival festvox-us-slt-hts festvox-kdlpc16k festvox-kallpc16k
# Hours on two slow cores without AVX-512: synthesis 0.2, codec 0.1, training 1.7 (2950 steps). All seeds are fixed.
# TINY=1 makes everything in a minute or two, to see that it runs; what it makes knows nothing.
set -euo pipefail
work=$1
people=${2:-}
if [ -n "${TINY:-}" ]; then users=400 voices=200 steps=20 more=30; else users=28000 voices=3000 steps=2200 more=2950; fi
wren() { python -W ignore -m "realtime_server.training.wren.$1" "${@:2}"; }

mkdir -p "$work"
wren vocabulary "$work"
wren synthesis voices "$work" --number "$voices"
wren synthesis users "$work" --number "$users"
[ -f "$work/speech.npz" ] || wren codec "$work"
# First mostly hearing; then, as speaking learns more slowly, mostly speaking.
wren train "$work" --steps "$more" --until "$steps" --compile ${people:+--people "$people"}
wren train "$work" --steps "$more" --rows 20 8 72 --compile ${people:+--people "$people"}
wren export "$work" "${OUT:-models/wren}"
