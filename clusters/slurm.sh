#!/usr/bin/env bash
# A sweep on the nodes of a SLURM allocation:  make cluster && sbatch clusters/slurm.sh ARGUMENTS
# The arguments are those of `python -m tuning.sweep`, for example: darts --space 3
#
# ---- edit these ------------------------------------------------------------------------------
#SBATCH --job-name=raynas
#SBATCH --nodes=2
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=16
#SBATCH --time=24:00:00
# ----------------------------------------------------------------------------------------------
#SBATCH --ntasks-per-node=1
#SBATCH --signal=B:TERM@120
#
# The home directory has to be shared by the nodes. Where these cannot download, run
#   bash ~/raynas/release/setup.sh ...        (see below)
# on a login node first. A sweep that the time limit cut short goes on with the same command and
# `--resume STUDY`.
set -euo pipefail

mkdir -p ~/raynas/release
cp -R "$SLURM_SUBMIT_DIR/dist/cluster/." ~/raynas/release
# shellcheck source=clusters/node/environment.sh
. ~/raynas/release/environment.sh
export OMP_NUM_THREADS=1 RAY_gcs_rpc_server_reconnect_timeout_s=20

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
# The address that SLURM itself uses: on the private network.
name=$(scontrol show node "${nodes[0]}" | grep -o 'NodeAddr=[^ ]*' | cut -d = -f 2)
address=$(getent ahostsv4 "$name" | awk 'NR == 1 {print $1}')
# Jobs may share a node, so each has ports of its own: 8 from here on, and those of the workers.
port=$((20000 + SLURM_JOB_ID % 1000 * 8))
folder=/tmp/raynas-$SLURM_JOB_ID
# Ray's own command, not the one that outlives its caller: SLURM ends what a step has started.
ray=~/raynas/environment/bin/ray

step=(srun --overlap --cpus-per-task="$SLURM_CPUS_PER_TASK")
on_all=("${step[@]}" --nodes="${#nodes[@]}" --ntasks="${#nodes[@]}")
on_one=("${step[@]}" --nodes=1 --ntasks=1)

finish() {
    trap - EXIT TERM
    # shellcheck disable=SC2046  # one argument per process
    kill $(jobs -p) 2>/dev/null || true
    wait || true
    "${on_all[@]}" rm -rf "$folder" || true
}
trap finish EXIT
trap 'exit 143' TERM

# Once per node, or once for all where they share the home directory.
"${on_all[@]}" \
    bash ~/raynas/release/setup.sh "nasbench101 --full --remove-download" cifar10

"${on_one[@]}" --nodelist="${nodes[0]}" \
    "$ray" start --block --head --node-ip-address="$address" --port="$port" \
    --node-manager-port=$((port + 1)) --object-manager-port=$((port + 2)) \
    --temp-dir="$folder" --include-dashboard=false --num-cpus="$SLURM_CPUS_PER_TASK" &
head=$!

# At most two minutes.
for _ in {1..60}; do
    "$ray" status --address="$address:$port" >/dev/null 2>&1 && break
    kill -0 "$head" 2>/dev/null || break
    sleep 2
done
"$ray" status --address="$address:$port" >/dev/null 2>&1 || {
    echo "error: no Ray on ${nodes[0]} ($address:$port) after two minutes; its log is above" >&2
    exit 1
}

for node in "${nodes[@]:1}"; do
    "${on_one[@]}" --nodelist="$node" \
        "$ray" start --block --address="$address:$port" \
        --node-manager-port=$((port + 1)) --object-manager-port=$((port + 2)) \
        --num-cpus="$SLURM_CPUS_PER_TASK" &
done

# In the background, so that a signal reaches this script at once.
~/raynas/environment/bin/python -m tuning.sweep "$@" --address "$address:$port" &
sweep=$!
wait "$sweep"
