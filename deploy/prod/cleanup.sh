#!/usr/bin/env bash
# Stops producer and consumer and removes their containers, network and images. The outbox, which holds
# checks that are finished and not yet in Kafka, stays for the next run.sh; --volumes removes it too.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=deploy/lib.sh
. "$here/../lib.sh"

case "${1:-}" in
--volumes) compose down --rmi local --remove-orphans --volumes ;;
"") compose down --rmi local --remove-orphans ;;
*) die "usage: cleanup.sh [--volumes]" ;;
esac
