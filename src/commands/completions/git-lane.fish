# fish completion for git-lane and `git lane`. Put it where fish reads it:
#   git lane completions fish >~/.config/fish/conf.d/git-lane.fish

# What was typed as arguments of git-lane, the word before the cursor last; fails where it is another command.
function __git_lane_words
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l start
    if test "$words[1]" = git
        set --erase words[1]
        # What git takes for itself: of that, the folder alone is of interest.
        while set -q words[1]; and string match --quiet -- '-*' $words[1]
            switch $words[1]
                case -C
                    set --append start -C $words[2]
                    set --erase words[1..2]
                case -c --git-dir --work-tree --namespace
                    set --erase words[1..2]
                case '*'
                    set --erase words[1]
            end
        end
        test "$words[1]" = lane
        or return 1
    end
    set --erase words[1]
    string join \n -- $start $words
    commandline --current-token --cut-at-cursor
end

function __git_lane_complete
    set -l words (__git_lane_words)
    or return
    command git-lane complete fish (count $words) -- git-lane $words 2>/dev/null
end

complete --command git-lane --no-files --keep-order --arguments '(__git_lane_complete)'
complete --command git --condition '__git_lane_words >/dev/null' --no-files --keep-order --arguments '(__git_lane_complete)'
