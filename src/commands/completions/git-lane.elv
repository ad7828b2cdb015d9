# Elvish completion for git-lane, and for `git lane` beside whatever completes git otherwise. Load it from rc.elv:
#   eval (git-lane completions elvish | slurp)

use str

fn git-lane-complete {|@words|
    var index = (- (count $words) 1)
    try {
        e:git-lane complete elvish $index -- git-lane (all $words[1..]) 2>/dev/null | from-lines | each {|line|
            var parts = [(str:split "\t" $line)]
            if (> (count $parts) 1) {
                edit:complex-candidate $parts[0] &display=$parts[0]' ('$parts[1]')'
            } else {
                edit:complex-candidate $line
            }
        }
    } catch e { nop }
}

set edit:completion:arg-completer[git-lane] = $git-lane-complete~

# Completes `git lane …`, and leaves all else to the completer that was there.
var git-lane-others = { |@words| edit:complete-filename $words[-1] }
if (has-key $edit:completion:arg-completer git) {
    set git-lane-others = $edit:completion:arg-completer[git]
}
set edit:completion:arg-completer[git] = {|@words|
    if (and (> (count $words) 2) (eq $words[1] lane)) {
        git-lane-complete (all $words[1..])
    } else {
        $git-lane-others $@words
    }
}
