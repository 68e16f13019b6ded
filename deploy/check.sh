#!/usr/bin/env bash
# Proves deploy/ on a real container engine: `make test-deploy`. What is proven stands in check/prove.py.
#
# Uses the Docker engine of this machine with the official images where there is one. Otherwise (or with
# ENGINE=private) it makes an engine of its own in namespaces of its own, with stand-ins for the official
# images; that needs root on Debian and, the first time, some minutes and 2 GB under build/tools/deploy.
#   usage: deploy/check.sh [PART...]        parts: image local test prod systemd; default: all
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
check=$root/deploy/check
cache=$root/build/tools/deploy
# A slip is said before minutes are spent on images.
if [ "${1:-}" != --in-private-engine ]; then
    for part in "$@"; do
        case $part in
        image | local | test | prod | systemd) ;;
        *)
            echo "deploy/check.sh: found '$part', expected parts: image local test prod systemd" >&2
            exit 2
            ;;
        esac
    done
fi
mkdir -p "$cache"
# shellcheck source=deploy/check/engine.sh
. "$check/engine.sh"
# shellcheck source=deploy/check/images.sh
. "$check/images.sh"

build_images() { # SERVICE of images.yaml...
    local image
    echo "building the image"
    for image in "$@"; do
        docker compose --file "$check/images.yaml" build --quiet "$image" >"$cache/build.log" 2>&1 ||
            { tail -20 "$cache/build.log" >&2; return 1; }
    done
}

prove() {
    PROGRAM_IMAGE=websentry-check TESTS_IMAGE=websentry-check-tests python3 "$check/prove.py" "$@"
}

compose_binary() {
    local found
    for found in "$root"/build/venv/lib/python3*/site-packages/compose/docker-compose; do
        [ -x "$found" ] && echo "$found" && return 0
    done
    echo "docker compose is missing; scripts/setup test fetches it" >&2
    return 1
}

# The shell that this becomes is the first process of its namespaces: it must name the signals it obeys.
in_private_engine() { # what [ARGUMENT]...
    local what=$1
    shift
    trap engine_stop EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    case $what in
    build)
        engine_start "$cache" "$(compose_binary)" --iptables=false --bridge=none
        images_prepare "$check" "$cache"
        BUILD_NETWORK=host build_images stage program tests systemd
        docker image prune --force >/dev/null
        ;;
    prove)
        ip link set lo up
        engine_start "$cache" "$(compose_binary)"
        SYSTEMD_IMAGE=websentry-check-systemd prove "$@"
        ;;
    esac
}

if [ "${1:-}" = --in-private-engine ]; then
    shift
    in_private_engine "$@"
elif [ "${ENGINE:-}" != private ] && docker info >/dev/null 2>&1 &&
    docker compose version >/dev/null 2>&1; then
    build_images program tests
    prove "$@"
else
    engine_prepare "$cache"
    exec 9>"$cache/lock"
    flock --nonblock 9 || { echo "another $0 is at work in $cache" >&2; exit 1; }
    private=(unshare --mount --pid --fork --kill-child --mount-proc)
    "${private[@]}" "$0" --in-private-engine build
    "${private[@]}" --net "$0" --in-private-engine prove "$@"
fi
