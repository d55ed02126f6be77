# bash completion for aerjob: load it with `source <(aerjob completion bash)`.

_aerjob() {
    local line kind=
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ -z $kind ]]; then
            kind=$line
        else
            COMPREPLY+=("$line")
        fi
    done < <("${1:-aerjob}" __complete bash "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null </dev/null)
    case $kind in
        files) compopt -o default ;;  # nothing of ours, so that bash looks for files
        open) compopt -o nospace ;;   # the word goes on
    esac 2>/dev/null
    return 0
}

# Without nosort (before bash 4.4) the candidates are sorted, which does no harm.
complete -o nosort -F _aerjob aerjob 2>/dev/null || complete -F _aerjob aerjob
