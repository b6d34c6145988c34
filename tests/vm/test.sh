#!/usr/bin/env bash
# The program end to end, in a machine with a real kernel camera and a real virtual camera: runs each
# guest_*.py there. Usage: test.sh [guest_NAME.py ...]
#   REALTIME_BOKEH  the program to test        (.venv/bin/realtime-bokeh)
#   PYTHON          runs the tests, has numpy  (.venv/bin/python)
#   VM_DIR          where the machine is kept  (~/.cache/realtime-bokeh-vm)
#   V4L2LOOPBACK    another release of the virtual camera, see build; give it a VM_DIR of its own
set -uo pipefail
here=$(dirname "$(realpath "$0")")
root=$(dirname "$(dirname "$here")")
program=$(realpath -s "${REALTIME_BOKEH:-$root/.venv/bin/realtime-bokeh}")
python=$(realpath -s "${PYTHON:-$root/.venv/bin/python}")
machine=${VM_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/realtime-bokeh-vm}
tests=("$@")
((${#tests[@]})) || tests=("$here"/guest_*.py)

"$here/build" "$machine"
case $? in
  0) ;;
  77) exit 0 ;;   # build has said why
  *) echo "the machine could not be built: see $machine/*.log" >&2; exit 1 ;;
esac
for needed in "$program" "$python"; do
  [[ -x $needed ]] || { echo "$needed is missing" >&2; exit 1; }
done

passed=0 failed=0
for test in "${tests[@]##*/}"; do
  echo "== $test"
  SECONDS=0
  if "$here/run" "$machine" "$here/guest.sh" 1800 "TEST=$test" "PYTHON=$python" "PROGRAM=$program"; then
    passed=$((passed + 1)) outcome=passed
  else
    failed=$((failed + 1)) outcome="FAILED ($?)"
  fi
  echo "== $test $outcome in $SECONDS s"
done
echo "$passed passed, $failed failed"
((failed == 0))
