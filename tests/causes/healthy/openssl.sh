#!/bin/sh
# Keys are generated.
# cause: computing_one
# needs: openssl
for n in 1 2 3; do openssl genrsa 6144 >/dev/null 2>&1; done
openssl speed -seconds 3 rsa2048 >/dev/null 2>&1
