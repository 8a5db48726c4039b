; Inno Setup 6: the installer for Windows, of the bundle that basisdesk.spec makes there.
; UNTESTED: neither the bundle nor this script was ever run on Windows.
;   py -3.11 -m venv build\venv
;   build\venv\Scripts\python -m pip install pyinstaller .
;   build\venv\Scripts\python packaging\icons.py build\icons
;   set BASISDESK_ICONS=%CD%\build\icons
;   build\venv\Scripts\python -m PyInstaller -y --distpath dist --workpath build\work packaging\basisdesk.spec
;   iscc /DVersion=0.1.0 packaging\basisdesk.iss
; The lock is Linux's: make one for Windows before anything built this way is handed out.
#ifndef Version
  #error Say which version: iscc /DVersion=0.1.0 basisdesk.iss
#endif

[Setup]
; never change AppId: it is how Windows knows an update from a second program
AppId={{7C1B2B7E-54D5-4B0C-9C2C-2C5A0F6C8B51}
AppName=basisdesk
AppVersion={#Version}
AppPublisher=The basisdesk founders
DefaultDirName={autopf}\basisdesk
DefaultGroupName=basisdesk
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
LicenseFile=..\LICENSE
SetupIconFile=..\build\icons\basisdesk.ico
UninstallDisplayIcon={app}\basisdesk.exe
OutputDir=..\dist
OutputBaseFilename=basisdesk-{#Version}-setup
Compression=lzma2
SolidCompression=yes
CloseApplications=yes

[Files]
Source: "..\dist\basisdesk\*"; DestDir: "{app}"; Flags: recursesubdirs ignoreversion

[InstallDelete]
; files of an older version would be found before those of this one
Type: filesandordirs; Name: "{app}\_internal"

[Icons]
Name: "{group}\basisdesk"; Filename: "{app}\basisdesk.exe"
Name: "{autodesktop}\basisdesk"; Filename: "{app}\basisdesk.exe"; Tasks: desktopicon

[Tasks]
Name: desktopicon; Description: "An icon on the desktop"; Flags: unchecked

[Run]
Filename: "{app}\basisdesk.exe"; Description: "Start basisdesk"; Flags: nowait postinstall skipifsilent

; The user's data (settings, journals, recordings) lies in %LOCALAPPDATA%\basisdesk and stays.
