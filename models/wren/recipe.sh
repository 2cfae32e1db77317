#!/usr/bin/env bash
# Wren from nothing, or further from a finished model.
# usage: recipe.sh WORK [--people FOLDER] [--readers FOLDER] [--start MODEL] [--own FOLDER | --speech | --words] [--steps N]
#                       [--first N] [--share S] [--out MODEL | --folds MODELS]
#   WORK       a folder for everything that is made on the way (about 7 GB)
#   --people   recordings of real people ordering coffee, with labels.json (Picovoice speech-to-intent benchmark)
#   --readers  read sentences with transcripts.json (LJ Speech)
#   --start    begin with this model's weights, tokenizer and audio tokens
#   --own      teach it these sentences, words, recordings and voices as well (realtime_server/training/wren/own.py);
#              begins with models/wren, and needs a tenth of the material and of the time
#   --speech   teach it to speak and nothing else: what it hears and writes stays the same to the bit; begins with models/wren
#   --words    teach it to hear turns of one word and nothing else: of all other turns it keeps what it makes of them, as far as
#              can be (about two hours without AMX); begins with models/wren
#   --first    begin with this shard of sentences: those before were spoken for an earlier run (of what Wren
#              says, the ten that it says most are always there)
#   --share    of the way from --start's weights to the trained ones, 0 to 1
#   --out      where the model is written (default: models/wren, with --own models/own-wren)
#   --folds    instead, five models that only hear and write: each never hears another fifth of the --people, and
#              scripts/eval_wren --folds asks it for what those say. They begin with --start, which must know none of the
#              people, as models/wren/base does, or from nothing. With AMX four hours for the base, one and a half for the five
# Debian packages: espeak-ng flite festival festvox-us-slt-hts festvox-kdlpc16k festvox-kallpc16k, and libjemalloc2.
# SVOX Pico's voices come with the Python package py-nanotts, of the `train` extra.
# Hours on two cores: synthesis about 0.8, codec about 0.3, decoder about 0.3, training with AMX 0.6 for each 1000 steps to hear
# and write and 0.15 to speak, with AVX-512's bfloat16 alone a third to two thirds more, four times that without either.
# All seeds are fixed.
# TINY=1 makes everything in a few minutes, to see that it runs; what it makes knows nothing.
set -euo pipefail
work=${1:?usage: recipe.sh WORK [options]}; shift
people='' readers='' start='' own='' speech='' words='' steps='' first=0 share='' out='' folds=''
while [ $# -gt 0 ]; do
  case $1 in
    --speech) speech=yes; shift; continue ;;
    --words) words=yes; shift; continue ;;
    --people) people=$2 ;; --readers) readers=$2 ;; --start) start=$2 ;; --own) own=$2 ;; --steps) steps=$2 ;;
    --first) first=$2 ;; --share) share=$2 ;; --out) out=$2 ;; --folds) folds=$2 ;;
    *) echo "recipe.sh: unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done
if [ -n "$folds" ] && [ -z "$people" ]; then echo "recipe.sh: --folds needs --people" >&2; exit 2; fi
if [ -n "$folds" ] && [ -n "$own$speech$words" ]; then
  echo "recipe.sh: --folds goes without --own, --speech and --words" >&2
  exit 2
fi
if [ -n "$words" ] && [ -n "$own$speech" ]; then echo "recipe.sh: --words goes without --own and --speech" >&2; exit 2; fi
users=120000 voices=18500 alone=24000
if [ -n "$own" ]; then start=${start:-models/wren} users=6000 voices=800 steps=${steps:-400}; fi
if [ -n "$speech" ]; then start=${start:-models/wren} steps=${steps:-1400}; fi
if [ -n "$words" ]; then start=${start:-models/wren} users=6000 voices=600 steps=${steps:-800}; fi
if [ -n "$folds" ]; then users=66000 voices=600; fi
base_steps=7000
if [ -n "${TINY:-}" ]; then users=400 voices=200 alone=400 steps=30 base_steps=30; fi
jemalloc=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2
wren() { python -W ignore -m "realtime_server.training.wren.$1" "${@:2}"; }

mkdir -p "$work"
if [ -n "$start" ]; then cp "$start/tokenizer.json" "$work/"; else wren vocabulary "$work"; fi
wren synthesis voices "$work" --number "$voices" --first "$first" ${own:+--own "$own"}
[ -n "$speech" ] || wren synthesis users "$work" --number "$users" --first "$first" ${own:+--own "$own"}
[ -z "$words" ] || wren synthesis alone "$work" --number "$alone" --first "$first"
# Nothing that a fold speaks is listened to: what its tokens sound like does not matter, nor that it has no decoder.
of=$start
[ -z "$folds" ] || of=''
[ -f "$work/speech.npz" ] || wren codec "$work" ${of:+--of "$of"} ${own:+--own "$own"}
# A finished model keeps its decoder, as it keeps its audio tokens.
[ -n "$start$folds" ] || [ -f "$work/decoder.safetensors" ] || wren decoder "$work" ${TINY:+--steps 20 --sentences 20}
learn() (
  # The shapes of training fragment glibc's heap, which then takes a sixth of the time.
  [ -f "$jemalloc" ] && export LD_PRELOAD=$jemalloc \
    MALLOC_CONF=thp:always,oversize_threshold:0,narenas:2,dirty_decay_ms:60000,muzzy_decay_ms:0
  wren train "$work" --processes "$(nproc)" --compile ${readers:+--readers "$readers"} "$@"
)
if [ -n "$folds" ]; then
  # A model stands there only once its checkpoint is gone: no fold goes on from another, whose people are not its own.
  finish() { rm "$work/checkpoint.pt"; mv "$1.part" "$1"; }
  base=${start:-$work/base}
  if [ ! -d "$base" ]; then
    # As long as little is known, more steps teach more than larger ones.
    learn --steps "$base_steps" --rate 2e-3 --rows 8 40 8 0
    wren export "$work" "$base.part"
    wren calibrate "$base.part" --work "$work"
    finish "$base"
  fi
  for fold in 0 1 2 3 4; do
    [ ! -d "$folds/$fold" ] || continue
    # In so few steps, people as often as usual are hardly heard.
    learn --steps "${steps:-400}" --rate 8e-4 --rows 12 32 8 0 --start "$base" --people "$people" --people-times 3 --fold $fold
    wren export "$work" "$folds/$fold.part" --of "$base"
    finish "$folds/$fold"
  done
  exit
fi
learn --steps "${steps:-8000}" ${start:+--start "$start"} ${people:+--people "$people"} ${own:+--own "$own" --rate 4e-4} \
  ${speech:+--rows 0 0 0 64 --rate 5e-4} ${words:+--rows 6 24 0 0 --alone 96 --keep --rate 6e-4}
out=${out:-models/${own:+own-}wren}
wren export "$work" "$out" ${start:+--of "$start"} ${own:+--own "$own"} ${share:+--share "$share"}
[ -n "$speech" ] || wren calibrate "$out" --work "$work"
