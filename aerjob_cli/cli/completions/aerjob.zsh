#compdef aerjob
# zsh completion for aerjob: save it as _aerjob in a folder of $fpath, or load it with `source <(aerjob completion zsh)`.

_aerjob() {
    local program=${(Q)words[1]} tab=$'\t' line value description
    local -a reply items
    [[ -x $program ]] || program=aerjob
    reply=("${(@f)$("$program" __complete zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null </dev/null)}")
    if [[ $reply[1] == files ]]; then
        _files
        return
    fi
    for line in "${(@)reply[2,-1]}"; do
        value=${line%%$tab*}
        description=${line#"$value"}
        # For _describe a colon ends the value.
        items+=("${value//:/\\:}${description/$tab/:}")
    done
    # -U: what fits has been chosen already, without regard to case. -S: the word goes on.
    if [[ $reply[1] == open ]]; then
        _describe -V 'aerjob' items -U -S ''
    else
        _describe -V 'aerjob' items -U
    fi
}

if [[ $funcstack[1] == _aerjob ]]; then
    _aerjob "$@"
else
    compdef _aerjob aerjob
fi
