#!/bin/sh
# Run the circuits of a folder, retry once what failed, write all counts as CSV: batch.sh FOLDER CSV [SUBMIT OPTION]...
# Waits for BATCH_TIMEOUT (1h). Exits with 0 when every circuit has its counts, otherwise with 1.
set -eu
[ $# -ge 2 ] || { echo "usage: batch.sh FOLDER CSV [SUBMIT OPTION]..." >&2; exit 2; }
folder=$1 csv=$2 tag=batch-$(date +%Y%m%dT%H%M%S)-$$ good='' failed='' cancelled='' late=''
shift 2

count() { echo $#; }
ended() { code=0; aerjob wait "$@" > /dev/null || code=$?; case $code in 0 | 1 | 4 | 124) ;; *) exit "$code" ;; esac; }
wait_and_sort() {  # the ids of jobs, by the exit code that `wait` has for each
    ended --quiet --timeout "${BATCH_TIMEOUT:-1h}" "$@"
    for id; do
        ended --timeout 0 "$id" 2> /dev/null
        case $code in
            0) good="$good $id" ;;
            1) failed="$failed $id" ;;
            4) cancelled="$cancelled $id" ;;
            124) late="$late $id" ;;
        esac
    done
}

# Exit code 6: some were refused. These have their sentence on stderr, and only the others an id here.
ids=$(aerjob submit --quiet --tag "$tag" "$@" "$folder"/*.qasm) || { code=$?; [ $code -eq 6 ] || exit $code; }
[ -z "$ids" ] || wait_and_sort $ids
if [ -n "$failed" ]; then
    again=$(aerjob retry $failed) failed=''
    wait_and_sort $again
fi
printf 'job_id,experiment,name,outcome,count,probability\r\n' > "$csv"
for id in $good; do rows=$(aerjob result --format csv "$id") && printf '%s\n' "$rows" | sed 1d >> "$csv"; done
refused=$(aerjob list --all --tag "$tag" --reason INVALID_CIRCUIT --columns id)
echo "done $(count $good), refused $(count $refused), failed $(count $failed)," \
    "cancelled $(count $cancelled), late $(count $late); the counts are in $csv"
[ -n "$good" ] && [ -z "$refused$failed$cancelled$late" ]
