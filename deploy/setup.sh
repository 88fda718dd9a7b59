#!/bin/sh
# Makes .venv and installs the locked packages and the product into it. Called by make; asks nothing; safe to repeat.
set -u

say() { printf '%s\n' "$*" >&2; }
fail() {
	say ""
	for line in "$@"; do say "$line"; done
	exit 1
}

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
	for name in ${PYTHON:-} python3.14 python3.13 python3.12 python3.11 python3 python; do
		found=$(command -v "$name" 2>/dev/null) && is_new_enough "$found" && return 0
	done
	older=$(command -v python3 2>/dev/null) || fail \
		"Python 3.11 or newer is needed, and no Python was found." \
		"Install it (Debian, Ubuntu: apt install python3 python3-venv; Fedora: dnf install python3; macOS: brew install python)," \
		"or name one: make PYTHON=/path/to/python3.12 $goal"
	fail "Python 3.11 or newer is needed; $older is $("$older" -V 2>&1)." \
		"Install a newer one beside it (python.org, your system's packages, or uv python install 3.12)," \
		"then run make again, or name it: make PYTHON=/path/to/python3.12 $goal"
}

check_venv() {
	"$found" -c 'import venv, ensurepip' 2>/dev/null && return 0
	version=$("$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
	fail "$found cannot make an environment: its venv or ensurepip module is missing." \
		"Install it (Debian, Ubuntu: apt install python$version-venv), then run make again."
}

make_environment() {
	if [ "$(cat .venv/.made 2>/dev/null)" = "$PWD" ] && is_new_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; then
		return 0
	fi
	say "Environment: making .venv with $("$found" -V 2>&1)"
	rm -rf .venv
	"$found" -m venv .venv >.setup.log 2>&1 || explain "The environment .venv could not be made."
	printf '%s' "$PWD" >.venv/.made
}

install() {
	say "Packages: fetching and checking the locked ones ($(grep -c '==' requirements.txt) packages, about 200 MB the first time)"
	pip install --require-hashes -r requirements.txt || explain \
		"A package could not be installed." "$(advice)"
	say "Product: installing it into .venv"
	pip install --no-deps --no-build-isolation -e . || explain "The product could not be installed into .venv."
}

pip() {
	.venv/bin/python -m pip --no-input "$@" --quiet --progress-bar off >.setup.log 2>&1
}

advice() {
	if grep -qiE 'THESE PACKAGES DO NOT MATCH THE HASHES|do not match the hashes' .setup.log; then
		echo "A file that came is not the one that is locked: a proxy or a mirror changes files. Nothing of it was installed."
	elif grep -q 'from versions: none' .setup.log; then
		echo "The package index was not reached, or has no wheel for this system ($(uname -sm), $("$found" -V 2>&1))."
		echo "Check the connection, and behind a company proxy HTTPS_PROXY, PIP_CERT and PIP_INDEX_URL; then run make again."
	elif grep -qiE 'No matching distribution|not a supported wheel' .setup.log; then
		echo "There is no wheel for this system ($(uname -sm), $("$found" -V 2>&1)): Linux with glibc, macOS and Python 3.11 to 3.14 have one."
	elif grep -qiE 'No space left' .setup.log; then
		echo "The disk is full: about 1.2 GB are needed."
	else
		echo "Check the connection, and behind a company proxy HTTPS_PROXY, PIP_CERT and PIP_INDEX_URL; then run make again: what was fetched is kept."
	fi
}

explain() {
	say ""
	grep -v 'Expected *or' .setup.log | tail -n 12 | sed 's/^/  | /; s#://[^/@ ]*@#://…@#g' >&2
	fail "$@" "(everything pip said: .setup.log)"
}

goal=${goal:-setup}
unset PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_HASHES PYTHONHOME PYTHONPATH # they would send packages elsewhere
[ -n "${HOME:-}" ] || { HOME=$PWD/.venv; PIP_NO_CACHE_DIR=1; export HOME PIP_NO_CACHE_DIR; }
find_python
check_venv
make_environment
install
rm -f .setup.log
printf '%s\n' "$PWD" >.venv/.ready
say "Ready: .venv"
