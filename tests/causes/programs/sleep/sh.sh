#!/bin/sh
# The command sleep for $1 seconds.
sleep "$1"
