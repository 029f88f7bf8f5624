#!/bin/sh
# Restores what backup.sh made: into an empty database and an empty folder, and nothing is ever overwritten.
#
#   set -a; . ./.env; set +a           FCB_POSTGRES_URL names an empty database
#   deploy/restore.sh /backups/20260531T020000Z
#
# It needs pg_restore and psql of the version that made the dump or a later one, GNU tar and sha256sum. Nothing else may
# run meanwhile. Then: fcb doctor, fcb status, fcb sync.
set -eu
umask 077

from="${1:?what? deploy/restore.sh BACKUP}"
: "${FCB_POSTGRES_URL:?is not set: set -a; . ./.env; set +a}"
data="${FCB_HOME:-.fcb}/${FCB_DATASET:-production}"
url="$(printf %s "$FCB_POSTGRES_URL" | sed 's/^postgres\(ql\)\{0,1\}+psycopg2:/postgresql:/')"

(cd "$from" && sha256sum --check --strict --quiet SHA256SUMS) ||
    { echo "restore.sh: $from is not as it was made" >&2; exit 1; }
for part in frames evidence decisions reports books; do
    [ ! -e "$data/$part" ] || { echo "restore.sh: $data/$part is there already: move it away" >&2; exit 2; }
done
tables="$(psql --no-psqlrc --tuples-only --no-align --dbname="$url" --command \
    "select count(*) from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'")"
[ "$tables" = 0 ] || { echo "restore.sh: the database has $tables tables: name an empty one" >&2; exit 2; }

# All of it or nothing; then the files, so that a failure here leaves nothing behind.
pg_restore --no-owner --no-privileges --exit-on-error --single-transaction --dbname="$url" "$from/postgres.dump"
mkdir -p "$data"
tar --extract --gzip --preserve-permissions --directory="$data" --file="$from/home.tar.gz"
echo "restored $from; now: fcb doctor, fcb status, fcb sync"
