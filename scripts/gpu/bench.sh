#!/usr/bin/env bash
# Check and measure everything on a machine with a GPU, without internet, in under ten minutes.
#
#   scripts/gpu/bench.sh wheels FOLDER [3.12]  where there is internet: fetch TensorRT-RTX for the
#                                              machine's Python, in parts of at most 20 MiB
#   scripts/gpu/bench.sh unpack PART...        on the machine, once per part
#   scripts/gpu/bench.sh [AUTHORS [ARGS...]]   tests, then benchmarks/gpu.py; AUTHORS is the folder
#                                              of the authors' code, ARGS go to benchmarks/gpu.py
#
# Parts lie in $STATE (default: ~/realtime-bokeh-training), which must outlive the calls; results
# come into $OUT: tests.txt, gpu.json, gpu.log and, with TensorRT-RTX, rtx.txt: whether it runs here.
set -euo pipefail
cd "$(dirname "$0")/../.."
state=${STATE:-$HOME/realtime-bokeh-training}
rtx=1.5.0.114
case "${1:-}" in
wheels)
  folder=${2:?a folder} python=${3:-3.12}
  mkdir -p "$folder/wheels"
  for package in torch-tensorrt-rtx==2.11.0 "tensorrt_rtx_cu13_bindings==$rtx" \
    "tensorrt_rtx_cu13_libs==$rtx" dllist; do
    python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version "$python" \
      --implementation cp --platform manylinux_2_28_x86_64 --dest "$folder/wheels" "$package"
  done
  python3 -m pip wheel --quiet --no-deps --wheel-dir "$folder/wheels" "tensorrt_rtx==$rtx"
  tar -C "$folder" -cf - wheels | split -b 20m -d - "$folder/rtx.tar."
  ls -l "$folder"
  exit
  ;;
unpack)
  shift
  mkdir -p "$state"
  cp "$@" "$state/"
  ls -l "$state"
  exit
  ;;
esac
: "${OUT:?a folder for results}"
export PYTHONUNBUFFERED=1 PYTHONPATH=$PWD REALTIME_BOKEH_CACHE="$state/cache"
nvidia-smi --query-gpu=name,compute_cap,driver_version,memory.total --format=csv | tee "$OUT/gpu.txt"
if compgen -G "$state/rtx.tar.*" > /dev/null && [ ! -d "$state/site" ]; then
  cat "$state"/rtx.tar.* | tar -xf - -C "$state"
  python3 -m pip install --quiet --no-index --no-deps --target "$state/site" "$state"/wheels/*.whl
fi
if [ -d "$state/site" ]; then
  export PYTHONPATH="$PWD:$state/site"
  # is this GPU one that TensorRT-RTX runs on? by a portable engine, then by Torch-TensorRT
  for portable in "--portable" ""; do
    timeout 60 python3 -m realtime_bokeh engines build $portable --model dmshn || true
    timeout 40 python3 -m realtime_bokeh bench --engine tensorrt --model dmshn --frames 100 || true
    python3 -m realtime_bokeh engines clear || true
  done > "$OUT/rtx.txt" 2>&1
  tail -n 40 "$OUT/rtx.txt"
fi
timeout 80 python3 -m pytest -p no:cacheprovider tests/engines/test_cuda.py tests/engines/test_device.py \
  > "$OUT/tests.txt" 2>&1 || true
tail -n 25 "$OUT/tests.txt"
authors=()
if [ -n "${1:-}" ]; then authors=(--authors "$1"); shift; fi
timeout 280 python3 benchmarks/gpu.py "${authors[@]}" "$@" > "$OUT/gpu.json" 2> >(tee "$OUT/gpu.log" >&2)
