# Downloads a release of git-lane for Windows, checks it, and puts it into %LOCALAPPDATA%\Programs\git-lane. No administrator needed.
[CmdletBinding()]
param(
    [string]$Prefix = (Join-Path $env:LOCALAPPDATA 'Programs\git-lane'),
    [string]$Tag = '@TAG@'
)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue' # it makes downloads ten times slower

$repository = '@REPOSITORY@'
$target = 'x86_64-pc-windows-msvc'
$archive = "git-lane-$target.zip"
$releases = if ($env:LANE_RELEASES) { $env:LANE_RELEASES } else { "https://github.com/$repository/releases/download" }
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

$place = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
New-Item -ItemType Directory -Path $place | Out-Null
try {
    foreach ($file in $archive, 'SHA256SUMS') {
        Invoke-WebRequest -UseBasicParsing -Uri "$releases/$Tag/$file" -OutFile (Join-Path $place $file)
    }
    $line = Get-Content (Join-Path $place 'SHA256SUMS') | Where-Object { ($_ -split '\s+')[1] -eq $archive }
    if (-not $line) { throw "SHA256SUMS of $Tag says nothing of $archive" }
    $wanted = ($line -split '\s+')[0]
    $found = (Get-FileHash -Algorithm SHA256 (Join-Path $place $archive)).Hash
    if ($found -ne $wanted) { throw "$archive is not what was released: its checksum is $found, not $wanted" }

    Expand-Archive -Path (Join-Path $place $archive) -DestinationPath $place
    $unpacked = Join-Path $place "git-lane-$target"
    foreach ($program in 'git-lane', 'git-lane-hook') {
        $said = & (Join-Path $unpacked "bin\$program.exe") --version
        if ($said -ne "$program $($Tag -replace '^v')") { throw "$program of $Tag says it is $said" }
    }
    $bin = Join-Path $Prefix 'bin'
    New-Item -ItemType Directory -Force -Path $bin | Out-Null
    # A program that runs cannot be written over, but it can be renamed. git-lane-hook comes last, as it is not to be the older one.
    foreach ($program in 'git-lane.exe', 'git-lane-hook.exe') {
        $to = Join-Path $bin $program
        if (Test-Path $to) { Move-Item -Force $to "$to.old" }
        Copy-Item (Join-Path $unpacked "bin\$program") $to
        Remove-Item -Force -ErrorAction SilentlyContinue "$to.old"
    }
    Copy-Item -Recurse -Force (Join-Path $unpacked 'share') $Prefix
    Write-Output "installed git-lane $($Tag -replace '^v') in $bin (checked: version, checksum)"
    $path = [Environment]::GetEnvironmentVariable('Path', 'User')
    if (($path -split ';') -notcontains $bin) {
        [Environment]::SetEnvironmentVariable('Path', "$bin;$path", 'User')
        Write-Output "put $bin on your Path: open a new terminal"
    }
} finally {
    Remove-Item -Recurse -Force -ErrorAction SilentlyContinue $place
}
