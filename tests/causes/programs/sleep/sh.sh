#!/bin/sh
# The command sleep for $LENGTH_S seconds.
sleep "$LENGTH_S"
