#!/usr/bin/env bash
# Starts Kafka, PostgreSQL, producer and consumer, runs the integration tests (deploy/test/tests) against them,
# and removes everything again, whatever happened. Exit code 0 when all tests passed. Arguments go to pytest.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=deploy/lib.sh
. "$here/../lib.sh"

finish() {
    local code=$?
    trap '' INT TERM HUP
    if [ "$code" != 0 ]; then
        compose logs --no-color --tail 40 producer consumer || true
    fi
    "$here/cleanup.sh" >/dev/null 2>&1 || say "deploy/test/cleanup.sh has left something behind"
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

compose --profile tests build --quiet
compose up --detach --wait --wait-timeout 180
compose run --rm --no-TTY tests ${1+pytest -p no:cacheprovider /tests "$@"}
