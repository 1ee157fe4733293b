#!/bin/sh
# Packages of Python are downloaded and installed.
# cause: computing_one network_line network_slow network_remote
# needs: python3
set -e
python3 -m venv "$FOLDER/venv"
"$FOLDER/venv/bin/pip" install -q --no-cache-dir --disable-pip-version-check numpy scipy ansible-core django
rm -r "$FOLDER/venv"
