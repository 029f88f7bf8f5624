#!/bin/sh
# A backup of what a deployment keeps: Dagster's Postgres with our own tables, and what lies under FCB_HOME.
#
#   set -a; . ./.env; set +a
#   deploy/backup.sh /backups          makes /backups/20260531T020000Z and prints it
#
# It needs pg_dump of the server's version or a later one, GNU tar, flock and sha256sum. docs/deploying.md says what is
# not in it - Odoo, a store at a URL, the secrets - and how it is restored.
set -eu
umask 077

: "${1:?where to? deploy/backup.sh FOLDER}"
: "${FCB_POSTGRES_URL:?is not set: set -a; . ./.env; set +a}"
data="${FCB_HOME:-.fcb}/${FCB_DATASET:-production}"
[ -d "$data" ] || { echo "backup.sh: there is no $data" >&2; exit 2; }

to="$1/$(date -u +%Y%m%dT%H%M%SZ)"
mkdir -p "$1"
mkdir "$to.part"
# Whatever ends it, no half of a backup has the name of one.
trap 'rm -rf "$to.part"' EXIT
trap 'exit 130' INT TERM

# The log of read-backs first: books that have more than it knows are found again, books that have less would be taken
# for ones that somebody deleted from.
pg_dump --format=custom --no-owner --no-privileges --file="$to.part/postgres.dump" \
    "$(printf %s "$FCB_POSTGRES_URL" | sed 's/^postgres\(ql\)\{0,1\}+psycopg2:/postgresql:/')"

parts=
for part in frames evidence decisions reports books dagster; do
    [ ! -d "$data/$part" ] || parts="$parts $part"
done
archive() {
    # pax keeps the fractions of a second of a file's time, by which a month's frames know those they were cut from.
    # shellcheck disable=SC2086 # the parts are names without spaces
    tar --create --gzip --format=posix --exclude=dagster/logs --exclude=books/.lock \
        --directory="$data" --file="$to.part/home.tar.gz" --files-from=/dev/null $parts
}
if [ -d "$data/books" ]; then
    # The lock that every writer of the embedded books holds: none is in the midst of a change.
    exec 9>>"$data/books/.lock"
    flock --wait 120 9 || { echo "backup.sh: the books are written to for 120 s" >&2; exit 3; }
fi
archive
exec 9>&-

[ -z "${FCB_CONFIG:-}" ] || cp "$FCB_CONFIG" "$to.part/configuration.yaml"
(cd "$to.part" && sha256sum ./* >SHA256SUMS)
mv "$to.part" "$to"
echo "$to"
