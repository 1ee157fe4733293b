#!/bin/sh
# A loop that looks for a port each second, stopped after $LENGTH_S seconds.
timeout "$LENGTH_S" sh -c 'until (exec 3<>/dev/tcp/127.0.0.1/9) 2>/dev/null; do sleep 1; done' || true
