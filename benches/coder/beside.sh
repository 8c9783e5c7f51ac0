#!/bin/sh
# The same headlines by another public coder, for `make eval`. It is fetched by name, and left out where it cannot be.
set -eu
folder=${CARGO_TARGET_DIR:-target}/bench/empath
if [ ! -x "$folder/bin/python" ] || ! "$folder/bin/python" -c 'import empath' 2>/dev/null; then
	if ! { python3 -m venv "$folder" && "$folder/bin/pip" install --quiet empath==0.89; } 2>/dev/null; then
		echo "Empath: not compared, python3 with venv and pip could not install it"
		exit 0
	fi
fi
exec "$folder/bin/python" benches/coder/headlines_by_empath.py "$1"
