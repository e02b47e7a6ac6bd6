#!/bin/bash
set -euo pipefail
. "$(dirname "$0")/lib.sh"
running
