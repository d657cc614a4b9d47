#!/bin/sh
# Finds a Python that VibeDesk runs on and lets it do the set-up: setup.sh run|test.
# PYTHON=/path/to/python chooses one.
for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
        exec "$candidate" "$(dirname "$0")/setup.py" "$@"
    fi
done
echo "VibeDesk needs Python 3.11, 3.12 or 3.13, and none was found." >&2
echo "Install one (on Debian 12 or Ubuntu 24.04: sudo apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3.12" >&2
exit 1
