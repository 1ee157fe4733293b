#!/bin/sh
# A load on each CPU for $LENGTH_S seconds.
stress-ng --quiet --cpu 0 --timeout "$LENGTH_S"
