# What the machine runs: one of the tests beside this file, $TEST, with the host's $PYTHON.
export PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
exec "$PYTHON" "$(dirname "$SCRIPT")/$TEST"
