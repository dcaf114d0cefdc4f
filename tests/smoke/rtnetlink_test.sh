#!/bin/bash
# bgp-glue's rtnetlink requests and messages against the kernel.
#
#    namespace us                        namespace them
#   +------------------+                +---------------------------+
#   | rtnetlink_probe  us==============them  10.99.0.2, fd00:99::2  |
#   +------------------+                +---------------------------+
. "$(dirname "$0")/_init.sh"

netns us them
ip -n "$(real us)" link add us index 11 type veth peer name them index 21 netns "$(real them)"
ip -n "$(real them)" addr add 10.99.0.2/30 dev them
ip -n "$(real them)" addr add fd00:99::2/126 dev them nodad
ip -n "$(real them)" link set them up
ns us "$build/tests/smoke/rtnetlink_probe" || fail "see above"
