# Sourced after _init.sh: what is lost or late may be so because the machine stole time (timely.py).
#
#   once_more "PID..." FUNCTION [RESTORE]   FUNCTION does it, and sets `missed` to what was lost or late, if anything.
#                                           That is a failure, unless the machine stole time, from these processes or
#                                           all: then RESTORE, and FUNCTION once more, which decides
tried() {  # "PID..." FUNCTION: with $noise in words, and whether it is to blame in $stolen
    local moment
    moment=$("$here/timely.py" now $1)
    missed=''
    "$2"
    stolen=yes
    noise=$("$here/timely.py" since "$moment") || stolen=no
}
once_more() {
    tried "$1" "$2"
    [ -n "$missed" ] || return 0
    [ "$stolen" = yes ] || fail "$missed; $noise"
    echo "note: $missed, while the machine stole time ($noise): once more"
    [ -z "${3:-}" ] || "$3"
    tried "$1" "$2"
    [ -z "$missed" ] || fail "at the second try, too: $missed; $noise"
    echo "note: not so at the second try ($noise)"
}
