# What the machine runs: one of the tests beside this file, $TEST, with the host's $PYTHON.
export PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
PYTHONPATH=$(realpath "$(dirname "$SCRIPT")/../..")   # the program beside these tests
export PYTHONPATH
exec "$PYTHON" "$(dirname "$SCRIPT")/$TEST"
