# PowerShell completion for git-lane. Load it from $PROFILE:
#   git-lane completions powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName git-lane -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
        ForEach-Object { $_.Extent.Text.Trim("'", '"') })
    if ($wordToComplete -eq '') { $words += '' }
    $program = Get-Command -Name git-lane -CommandType Application | Select-Object -First 1
    # Arguments that are empty are lost on the way to a program before PowerShell 7.3: it adds them by the number.
    $index = $words.Count - 1
    & $program complete powershell $index '--' @words 2>$null | ForEach-Object {
        $value, $help = $_ -split "`t", 2
        if (-not $help) { $help = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
    }
}
