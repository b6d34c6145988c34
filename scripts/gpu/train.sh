#!/usr/bin/env bash
# Train on a machine with a GPU that is there for a while and has no internet.
#
#   scripts/gpu/train.sh unpack ARCHIVE...            add photographs (see pack.py); once per archive
#   scripts/gpu/train.sh MINUTES PRESET [OPTIONS...]  train, going on from the last run of the preset
#
# Half an hour trains all three. Each call may last ten minutes; one that did not come to its end goes
# on when it is given again:
#
#   train.sh 9 dmshn-gpu --hours 0.14 --init realtime_bokeh/models/dmshn/weights.safetensors
#   train.sh 8 stacked-gpu --hours 0.12 --init "$STATE/dmshn-gpu/weights.safetensors"
#   train.sh 9 lite-gpu --hours 0.14 --init realtime_bokeh/models/lite/weights.safetensors \
#     --teacher "$STATE/dmshn-gpu/weights.safetensors"
#
# State and photographs lie in $STATE (default: ~/realtime-bokeh-training), which must outlive the
# calls. Results come into $OUT: the log, pictures and fp16 weights in parts under 16 MiB, joined by
#   cat weights.safetensors.* > weights.safetensors
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
status=0
python3 -m training.train --preset "$preset" --data "$state/photos" --out "$run" \
  --precision bf16 --minutes "$minutes" "$@" >> "$run/log" 2>&1 || status=$?
tail -n 12 "$run/log"
cp "$run/log" "$OUT/"
for file in metrics.jsonl samples.jpg; do
  if [ -f "$run/$file" ]; then cp "$run/$file" "$OUT/"; fi
done
if [ -f "$run/weights.safetensors" ]; then
  split -b 15m -d "$run/weights.safetensors" "$OUT/weights.safetensors."
fi
exit "$status"
