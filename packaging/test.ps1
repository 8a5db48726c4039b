# Installs what the tests need and runs every check. Arguments go to pytest.
$ErrorActionPreference = "Stop"
. "$PSScriptRoot\setup.ps1" "[dev,lab]"
if (-not $env:QT_QPA_PLATFORM) { $env:QT_QPA_PLATFORM = "offscreen" }
$bin = "$venv\Scripts"
function Step($command, $rest) {
    Write-Host "`n== $command $rest"
    & "$bin\$command.exe" @rest
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}
Step "ruff" @("check", ".")
Step "ruff" @("format", "--check", ".")
Step "mypy" @()
Step "lint-imports" @()
Step "python" @("packaging/audit.py")
Step "python" (@("-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder") + $args)
