# Dot-sourced by run.ps1 and test.ps1: makes .venv and installs into it.
param([string]$extras = "")
Set-Location "$PSScriptRoot\.."
$venv = if ($env:BASISDESK_VENV) { $env:BASISDESK_VENV } else { ".venv" }
if (-not (Test-Path "$venv\Scripts\python.exe")) {
    $made = $false
    foreach ($try in @(@("py", "-3.11"), @("py", "-3.12"), @("py", "-3.13"), @("python"))) {
        $name, $rest = $try
        if (-not (Get-Command $name -ErrorAction SilentlyContinue)) { continue }
        & $name @rest -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))" 2>$null
        if ($LASTEXITCODE -ne 0) { continue }
        & $name @rest -m venv $venv
        $made = $LASTEXITCODE -eq 0
        break
    }
    if (-not $made) {
        Write-Error "basisdesk: Python 3.11, 3.12 or 3.13 is needed. Install it from python.org."
        exit 2
    }
}
$stamp = "$venv\.basisdesk-installed"
$want = "$((Get-FileHash pyproject.toml).Hash) $(Get-Location) $extras"
if (-not (Test-Path $stamp) -or (Get-Content $stamp -Raw) -ne $want) {
    Write-Host "basisdesk: installing into $venv (once; needs the package index)"
    & "$venv\Scripts\python.exe" -m pip install -q --disable-pip-version-check -e ".$extras"
    if ($LASTEXITCODE -ne 0) { exit 2 }
    Set-Content -NoNewline $stamp $want
}
