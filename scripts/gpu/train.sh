#!/usr/bin/env bash
# Train on a machine with a GPU that is there for a while and has no internet.
#
#   scripts/gpu/train.sh unpack ARCHIVE...            add photographs (see pack.py); once per archive
#   scripts/gpu/train.sh MINUTES together OPTIONS...  train the three networks at once
#   scripts/gpu/train.sh MINUTES PRESET OPTIONS...    train one; each goes on from its last call
#
# Ten minutes of an H200 beside 16 processor cores are enough for a good deal:
#
#   train.sh 9.5 together --hours 0.15 --init DMSHN --stacked STACKED --lite LITE
#
# State and photographs lie in $STATE (default: ~/realtime-bokeh-training), which must outlive the
# calls. Results come into $OUT: the log, pictures, reports and each network's fp16 weights, in parts
# under 16 MiB, joined by
#   cat NAME.safetensors.* > NAME.safetensors
set -euo pipefail
cd "$(dirname "$0")/../.."
state=${STATE:-$HOME/realtime-bokeh-training}
mkdir -p "$state/photos"
if [ "${1:-}" = unpack ]; then
  shift
  for archive in "$@"; do tar -xf "$archive" -C "$state/photos"; done
  find "$state/photos" -type f | wc -l
  exit
fi
minutes=${1:?minutes} preset=${2:?preset}
shift 2
run=$state/$preset
mkdir -p "$run" "${OUT:?a folder for results}"
command=(training.train --preset "$preset")
if [ "$preset" = together ]; then command=(training.together); fi
status=0
python3 -m "${command[@]}" --data "$state/photos" --out "$run" \
  --precision bf16 --minutes "$minutes" "$@" >> "$run/log" 2>&1 || status=$?
tail -n 12 "$run/log"
cp "$run/log" "$OUT/"
(cd "$run" && find . -name metrics.jsonl -o -name samples.jpg) |
  tar -czf "$OUT/reports.tgz" -C "$run" -T -
find "$run" -name weights.safetensors | while read -r weights; do
  name=$(basename "$(dirname "$weights")")
  split -b 15m -d "$weights" "$OUT/$name.safetensors."
done
exit "$status"
