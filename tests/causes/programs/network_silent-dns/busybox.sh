#!/bin/sh
# A name server that does not answer, asked again and again for $LENGTH_S seconds.
end=$(($(date +%s) + LENGTH_S))
while [ "$(date +%s)" -lt "$end" ]; do busybox nslookup example.org "$FAR" >/dev/null 2>&1 || true; done
