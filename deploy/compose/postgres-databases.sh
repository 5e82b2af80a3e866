#!/bin/bash
# Runs once, on an empty volume: a role and a database for the product, and those of the engine.
set -euo pipefail
psql --set=ON_ERROR_STOP=1 --username postgres --dbname postgres \
    --set=product="$SHANGLIANG_DATABASE_PASSWORD" --set=engine="$TEMPORAL_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE shangliang LOGIN PASSWORD :'product';
CREATE ROLE temporal LOGIN PASSWORD :'engine';
CREATE DATABASE shangliang OWNER shangliang;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE CONNECT ON DATABASE shangliang, temporal, temporal_visibility FROM PUBLIC;
SQL
