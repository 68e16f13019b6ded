# Sourced by run.sh and cleanup.sh of local, test and prod, which set `here` to their own folder.
# shellcheck shell=bash
# shellcheck disable=SC2154 # here

say() { printf '%s\n' "$*"; }
die() {
    printf '%s\n' "$*" >&2
    exit 1
}

docker compose version >/dev/null 2>&1 ||
    die "docker compose (version 2) is needed; 'docker compose version' does not work here"
docker info >/dev/null 2>&1 ||
    die "the Docker engine does not answer; 'docker info' says why"

# Always this folder's compose.yaml and .env, wherever the script was called from.
compose() {
    (cd "$here" && docker compose --file compose.yaml "$@")
}

# setting_in_file NAME: its value in .env, which is what the containers get.
setting_in_file() {
    sed -n "s/^$1=[\"']\{0,1\}\([^ \"'#]*\).*/\1/p" "$here/.env" | tail -1
}

# setting NAME: its value as compose.yaml sees it: the caller's environment, else .env.
setting() {
    if [ -n "${!1:-}" ]; then
        printf '%s' "${!1}"
    else
        setting_in_file "$1"
    fi
}

# published_address SERVICE PORT: where the host reaches that port of that service.
published_address() {
    compose port "$1" "$2" 2>/dev/null | head -1
}

# choose_port NAME SERVICE PORT: export NAME, the host port for PORT of SERVICE. It is the one from .env, or,
# where somebody else listens there already, one that Docker chooses; so two deploys never get into each
# other's way.
choose_port() {
    local name=$1 service=$2 port=$3 wanted
    wanted=$(setting "$name")
    if [ -n "$wanted" ] && [ "$wanted" != 0 ] &&
        (: <"/dev/tcp/127.0.0.1/$wanted") 2>/dev/null &&
        [ "$(published_address "$service" "$port")" != "127.0.0.1:$wanted" ]; then
        say "port $wanted ($name) is in use; taking a free one"
        wanted=0
    fi
    export "$name=${wanted:-0}"
}

# wait_until_ready SECONDS SERVICE...: true once each service has said, since it was started last, that it is
# ready. What they log above `info` until then is shown, each message once. Gives up early when a service
# ends: what it found wrong will be wrong again.
wait_until_ready() {
    local until=$((SECONDS + $1)) service container started restarts log line waiting is_last
    local -A shown=() seen_restarts=()
    shift
    while :; do
        waiting=
        is_last=$((SECONDS >= until)) # looking may take long itself: the last look begins when the time is over
        for service in "$@"; do
            container=$(compose ps --all --quiet "$service")
            read -r started restarts < <(
                docker inspect --format '{{.State.StartedAt}} {{.RestartCount}}' "$container"
            )
            log=$(docker logs --since "$started" "$container" 2>&1)
            while IFS= read -r line; do
                line=${line#20??-??-??T*Z }
                [ -z "$line" ] || [ -n "${shown[$line]:-}" ] || say "$service: $line"
                shown[${line:-empty}]=1
            done < <(grep -Ev ' (info|debug|trace) |"level":"(info|debug|trace)"' <<<"$log")
            grep -Eq ' info ready( |$)|"event":"ready"' <<<"$log" || waiting=$service
            [ "${seen_restarts[$service]:=$restarts}" = "$restarts" ] || return 1
        done
        [ -n "$waiting" ] || return 0
        [ "$is_last" = 0 ] || return 1
        sleep 0.5
    done
}
