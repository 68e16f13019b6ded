#!/usr/bin/env bash
# Removes what run.sh made: containers, network, volumes, and the images built here. run.sh does it itself;
# this is for one that was killed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=deploy/lib.sh
. "$here/../lib.sh"

compose --profile tests down --volumes --rmi local --remove-orphans
