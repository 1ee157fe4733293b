#!/bin/bash
# A loop that looks for a service five times a second, for $LENGTH_S seconds.
end=$((SECONDS + LENGTH_S))
while ! pgrep -x no-such-service >/dev/null && [ "$SECONDS" -lt "$end" ]; do sleep 0.2; done
