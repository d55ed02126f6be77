#!/bin/sh
# Run all circuits of a folder, try once more what failed, and write all counts into one CSV file.
#
#   batch.sh FOLDER CSV [OPTION of `aerjob submit`]...      BATCH_TIMEOUT is how long to wait for them (1h)
#
# Exits with 0 when every circuit has its counts, otherwise with 1. `aerjob` must be on the PATH.
set -eu
folder=$1 csv=$2
shift 2
tag=batch-$(date +%Y%m%dT%H%M%S)-$$
good='' failed='' cancelled='' late=''

wait_and_sort() {  # the ids of jobs, into the four lists above, by the exit code that `wait` has for each
    code=0
    aerjob wait --quiet --timeout "${BATCH_TIMEOUT:-1h}" "$@" > /dev/null || code=$?
    case $code in 0 | 1 | 4 | 124) ;; *) exit "$code" ;; esac
    for id; do
        code=0
        aerjob wait --timeout 0 "$id" > /dev/null 2>&1 || code=$?
        case $code in
            0) good="$good $id" ;;
            1) failed="$failed $id" ;;
            4) cancelled="$cancelled $id" ;;
            124) late="$late $id" ;;
            *) exit "$code" ;;
        esac
    done
}

count() { echo $#; }

# Exit code 6: validation has refused some. These have their sentence on stderr, and only the others an id here.
code=0
ids=$(aerjob submit --quiet --tag "$tag" "$@" "$folder"/*.qasm) || code=$?
case $code in 0 | 6) ;; *) exit "$code" ;; esac
[ -z "$ids" ] || wait_and_sort $ids

if [ -n "$failed" ]; then
    again=$(aerjob retry $failed)
    failed=''
    wait_and_sort $again
fi

printf 'job_id,experiment,name,outcome,count,probability\r\n' > "$csv"
for id in $good; do
    rows=$(aerjob result --format csv "$id")
    printf '%s\n' "$rows" | sed 1d >> "$csv"
done

refused=$(aerjob list --all --tag "$tag" --reason INVALID_CIRCUIT --columns id)
echo "done $(count $good), refused $(count $refused), failed $(count $failed)," \
    "cancelled $(count $cancelled), late $(count $late); the counts are in $csv"
[ -n "$good" ] && [ -z "$refused$failed$cancelled$late" ]
