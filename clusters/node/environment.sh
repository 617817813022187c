# shellcheck shell=bash
# What shells of a node need to know; ~/.bashrc reads it.
export PATH="$HOME/raynas/release/bin:$HOME/raynas/environment/bin:$PATH"
export RAYNAS_DATA="${RAYNAS_DATA:-$HOME/raynas/data}"
export RAY_USAGE_STATS_ENABLED=0
# The token of this cluster, whatever another cluster has left in ~/.ray.
unset RAY_AUTH_TOKEN
export RAY_AUTH_MODE=token
export RAY_AUTH_TOKEN_PATH="$HOME/raynas/release/auth_token"
