#!/bin/sh
# A load on each CPU for $1 seconds.
stress-ng --quiet --cpu 0 --timeout "$1"
