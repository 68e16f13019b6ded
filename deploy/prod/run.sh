#!/usr/bin/env bash
# Builds the image and starts producer and consumer against the servers of .env. Shows their warnings until
# both are ready, for at most READY_SECONDS (30); exit 1 when one is not by then. Both keep running and keep
# trying; cleanup.sh stops them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=deploy/lib.sh
. "$here/../lib.sh"

for name in KAFKA_BOOTSTRAP_SERVERS POSTGRES_DSN; do
    [ -n "$(setting_in_file "$name")" ] || die "deploy/prod/.env: $name is empty; it names the server to use"
done
for name in KAFKA_CAFILE KAFKA_CERTFILE KAFKA_KEYFILE; do
    file=$(setting_in_file "$name")
    case $file in
    /var/certs/*)
        [ -e "$here/../../certificates/${file#/var/certs/}" ] ||
            die "deploy/prod/.env: $name is $file, but there is no certificates/${file#/var/certs/}"
        ;;
    esac
done

mkdir -p "$here/../../certificates" # or Docker would make it, and root would own it
choose_port PAGE_PORT consumer 8080
compose build --quiet
compose up --detach
wait_until_ready "${READY_SECONDS:-30}" producer consumer ||
    die "not ready; they keep trying, and the lines above say why"
say "page: http://$(published_address consumer 8080)/"
say "logs: docker compose -f $here/compose.yaml logs -f"
