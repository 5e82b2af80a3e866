#!/bin/sh
# Brings the engine's two databases up to the server's version; on empty ones it begins at the beginning.
set -eu
for pair in temporal:temporal temporal_visibility:visibility; do
    database=${pair%%:*}
    versions=/etc/temporal/schema/postgresql/v12/${pair##*:}/versioned
    tool="temporal-sql-tool --plugin postgres12 --ep postgres --port 5432 --user temporal --db $database"
    # The first update fails on a database that has no table of versions yet.
    $tool update-schema -d "$versions" || { $tool setup-schema -v 0.0 && $tool update-schema -d "$versions"; }
done
