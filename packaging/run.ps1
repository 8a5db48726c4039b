# Sets basisdesk up in .venv and starts it; on the demo exchange unless told otherwise.
#   .\packaging\run.ps1
$ErrorActionPreference = "Stop"
$from = Get-Location
. "$PSScriptRoot\setup.ps1" ""
$known = "--live", "--demo", "--help", "-h", "--version"
$arguments = @($args)
if (-not ($arguments | Where-Object { $known -contains $_ }) -and
    ($arguments.Count -eq 0 -or $arguments[0].StartsWith("-"))) {
    $arguments = @("--demo") + $arguments
}
$python = Resolve-Path "$venv\Scripts\python.exe"
Set-Location $from
& $python -m basisdesk @arguments
exit $LASTEXITCODE
