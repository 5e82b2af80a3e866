#!/bin/sh
# Makes the product's namespace and the attributes that runs are found by; safe to repeat.
set -eu
if temporal operator namespace describe --namespace shangliang >/dev/null 2>&1; then
    temporal operator namespace update --namespace shangliang --retention "$RETENTION"
else
    temporal operator namespace create --namespace shangliang --retention "$RETENTION"
fi
for name in CommunityId Process PolicyPack; do
    temporal operator search-attribute create --namespace shangliang --name "$name" --type Keyword
done
