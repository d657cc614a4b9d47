#!/bin/sh
# Runs a command with a screen that nobody sees, so that windows open: on_virtual_screen.sh COMMAND ARGUMENTS…
cd "$(dirname "$0")/.." || exit 1
export QT_API=pyside6
if [ "$(id -u)" = 0 ]; then
    echo "Running as root: Chromium's own sandbox cannot start, so QtWebEngine runs without it here."
    export QTWEBENGINE_CHROMIUM_FLAGS="--no-sandbox --disable-gpu"
fi
exec xvfb-run -a -s "-screen 0 1600x1000x24" "$@"
