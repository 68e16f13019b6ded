#!/usr/bin/env bash
# Removes what run.sh made: containers, network, volumes with all their data, and the images built here.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=deploy/lib.sh
. "$here/../lib.sh"

compose down --volumes --rmi local --remove-orphans
