#!/bin/sh
# One transaction after another in a database, for $LENGTH_S seconds.
timeout "$LENGTH_S" sh -c 'sqlite3 "$0" "create table t (a)"; while :; do
    for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do echo "insert into t values ($n);"; done
done | sqlite3 "$0"' "$FOLDER/database" || true
rm -f "$FOLDER"/database*
