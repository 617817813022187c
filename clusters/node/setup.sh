#!/usr/bin/env bash
# Prepare a node: install the pinned raynas, and fetch tables and data sets.
#
#   setup.sh [nasbench101 | "nasbench101 --full" | cifar10] ...
#
# Everything happens once per node; what is there already is left alone, so the same command
# repairs a node whose preparation was interrupted. Needs Python 3.11 or newer with venv, and gcc.
set -euo pipefail

release=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
home=$(dirname "$release")
wheel=$release/$(cat "$release/wheel")
python=$home/environment/bin/python
chmod 600 "$release/auth_token"

# Nodes may share a home directory: one prepares it, the others wait.
exec 9>"$home/.setup.lock"
flock 9

pinned=$(cat "$wheel" "$release/constraints.txt" | sha256sum | cut -d ' ' -f 1)
if [ "$(cat "$home/environment/.installed" 2>/dev/null)" != "$pinned" ]; then
    [ -x "$python" ] || "$(command -v python3.11 || command -v python3)" -m venv "$home/environment"
    install=("$python" -m pip install --quiet --disable-pip-version-check
        --constraint "$release/constraints.txt")
    "${install[@]}" "$wheel"
    # Another build of the same version would count as installed already.
    [ ! -e "$home/environment/.installed" ] || "${install[@]}" --force-reinstall --no-deps "$wheel"
    echo "$pinned" >"$home/environment/.installed"
fi

# Ray runs its commands in login shells that read ~/.bashrc; `ray` has to be on their PATH.
line='[ ! -r ~/raynas/release/environment.sh ] || . ~/raynas/release/environment.sh'
grep -qsxF "$line" ~/.bashrc || echo "$line" >>~/.bashrc

# shellcheck source=clusters/node/environment.sh
. "$release/environment.sh"
for item in "$@"; do
    # shellcheck disable=SC2086  # an item may carry options
    "$python" -m search_spaces.fetch $item
done
