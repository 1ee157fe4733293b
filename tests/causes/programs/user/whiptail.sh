#!/bin/sh
# A box at a terminal that nobody answers, for $LENGTH_S seconds, as debconf shows it.
export TERM=xterm
sleep "$LENGTH_S" | script -qec "timeout --foreground $LENGTH_S whiptail --yesno sure 8 40" /dev/null >/dev/null || true
