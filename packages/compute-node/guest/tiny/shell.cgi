#!/bin/busybox sh
# Runs the body of a request as a script, for tests of what a guest can reach.
export PATH=/bin
echo "Content-Type: text/plain"
echo
[ -n "$CONTENT_LENGTH" ] && head -c "$CONTENT_LENGTH" | sh 2>&1
