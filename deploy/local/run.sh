#!/usr/bin/env bash
# Builds the image, starts Kafka, PostgreSQL, the producer and the consumer with its page, and says where
# they are. To be called from any folder; again after a change of configs/ or .env.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=deploy/lib.sh
. "$here/../lib.sh"

mkdir -p "$here/../../certificates" # or Docker would make it, and root would own it
choose_port PAGE_PORT consumer 8080
choose_port POSTGRES_PORT postgres 5432
compose build --quiet
compose up --detach --wait --wait-timeout 180 || {
    compose logs --tail 5
    die "not everything has started; see above, and deploy/local/cleanup.sh removes it"
}
say "page:     http://$(published_address consumer 8080)/"
say "database: postgres://$(setting POSTGRES_USER)@$(published_address postgres 5432)/$(setting POSTGRES_USER)"
say "logs:     docker compose -f $here/compose.yaml logs -f producer consumer"
