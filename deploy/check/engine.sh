# Sourced by deploy/check.sh: a Docker engine of our own for a machine that has none.
#
# Nothing is installed: Debian's packages are unpacked into CACHE/engine. The engine runs in namespaces
# of its own (mounts and processes; networks too, but while images are built, which needs a network), so
# it touches no firewall rule and no port of the machine, and nothing of it outlives the script that
# started it, however that ends. Needs root on Debian.
# shellcheck shell=bash

# engine_prepare CACHE: download what engine_start needs. Does nothing when it is there.
engine_prepare() {
    local cache=$1 deb
    [ ! -e "$cache/engine/complete" ] || return 0
    [ "$(id -u)" = 0 ] || { echo "no Docker engine here; making one needs root" >&2; return 1; }
    rm -rf "$cache/engine"
    mkdir -p "$cache/engine/debs"
    (
        cd "$cache/engine/debs" || exit 1
        apt-get download -q docker.io containerd runc iptables libip4tc2 libip6tc2 libxtables12 \
            libnftnl11 libnetfilter-conntrack3 libnfnetlink0 2>&1 | grep -v '^[WN]: ' || true
    )
    for deb in "$cache"/engine/debs/*.deb; do
        dpkg -x "$deb" "$cache/engine"
    done
    rm -r "$cache/engine/debs"
    ln -s xtables-nft-multi "$cache/engine/usr/sbin/iptables"
    ln -s xtables-nft-multi "$cache/engine/usr/sbin/ip6tables"
    [ -x "$cache/engine/usr/sbin/dockerd" ] || { echo "could not get the engine" >&2; return 1; }
    touch "$cache/engine/complete"
}

# engine_start CACHE COMPOSE [DOCKERD OPTION...]: start the engine and point docker at it, and at COMPOSE,
# the plugin's binary. To be called inside the namespaces that it is to live in. Images stay in CACHE/data.
engine_start() {
    local cache=$1 compose=$2 tries=0
    shift 2
    engine_run=$(mktemp -d /tmp/websentry-engine.XXXXXX)
    export PATH="$cache/engine/usr/sbin:$cache/engine/usr/bin:$PATH"
    LD_LIBRARY_PATH=$(echo "$cache"/engine/usr/lib/*-linux-gnu)
    XTABLES_LIBDIR=$LD_LIBRARY_PATH/xtables
    export LD_LIBRARY_PATH XTABLES_LIBDIR
    mkdir -p "$engine_run/cli/cli-plugins"
    ln -s "$compose" "$engine_run/cli/cli-plugins/docker-compose"
    export DOCKER_HOST="unix://$engine_run/engine.sock" DOCKER_CONFIG="$engine_run/cli"
    export DOCKER_BUILDKIT=0 # buildx is a package of its own
    dockerd --host "$DOCKER_HOST" --data-root "$cache/data" --exec-root "$engine_run/exec" \
        --pidfile "$engine_run/pid" --oom-score-adjust=0 "$@" >"$cache/engine.log" 2>&1 &
    engine_pid=$!
    until docker info >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -gt 150 ] || ! kill -0 "$engine_pid" 2>/dev/null; then
            tail -5 "$cache/engine.log" >&2
            echo "the engine did not start" >&2
            return 1
        fi
        sleep 0.2
    done
}

# engine_stop: end the engine and its containers.
engine_stop() {
    [ -n "${engine_pid:-}" ] || return 0
    kill "$engine_pid" 2>/dev/null || true
    wait "$engine_pid" 2>/dev/null || true
    engine_pid=
    umount "$engine_run/exec/netns/default" 2>/dev/null || true
    rm -rf "$engine_run"
}
