#!/bin/bash
# Runs once, on an empty volume: a role and a database for the product, and those of the engine.
set -euo pipefail
psql --set=ON_ERROR_STOP=1 --username postgres --dbname postgres \
    --set=product="$SHANGLIANG_DATABASE_PASSWORD" --set=application="$SHANGLIANG_APPLICATION_PASSWORD" \
    --set=engine="$TEMPORAL_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE shangliang LOGIN PASSWORD :'product';
-- Web and worker sign in as this one: it owns nothing and can change no history. The reader answers people.
CREATE ROLE shangliang_reader NOLOGIN;
CREATE ROLE shangliang_app LOGIN PASSWORD :'application';
GRANT shangliang_reader TO shangliang_app;
CREATE ROLE temporal LOGIN PASSWORD :'engine';
CREATE DATABASE shangliang OWNER shangliang;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE CONNECT ON DATABASE shangliang, temporal, temporal_visibility FROM PUBLIC;
GRANT CONNECT ON DATABASE shangliang TO shangliang_app;
\connect shangliang
-- Behind row-level security an index serves only functions that are known to show nothing of what they compare.
ALTER FUNCTION arrayoverlap(anyarray, anyarray) LEAKPROOF;
ALTER FUNCTION arraycontains(anyarray, anyarray) LEAKPROOF;
SQL
