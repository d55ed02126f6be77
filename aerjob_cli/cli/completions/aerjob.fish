# fish completion for aerjob: save it as ~/.config/fish/completions/aerjob.fish, or load it with
# `aerjob completion fish | source`.

function __aerjob_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --cut-at-cursor --current-token)
    set -l reply (command $words[1] __complete fish $words[2..-1] "$current" 2>/dev/null </dev/null)
    if test "$reply[1]" = files
        __fish_complete_path "$current"
    else
        # Fish adds no space to a word that ends in "=".
        printf '%s\n' $reply[2..-1]
    end
end

complete --command aerjob --no-files --keep-order --arguments '(__aerjob_complete)'
