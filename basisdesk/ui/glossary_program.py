"""The terms of the program's own windows: sessions, settings, workspaces. See glossary.py."""

PROGRAM_TERMS: dict[str, str] = {
    "Session": (
        "From a start of the desk to its end, named by its time; for example "
        "2026-11-21T091400-1f2e. Ctrl+L lists all of them."
    ),
    "Session log": (
        "What a session did, as files to keep, 1 page with its tables and everything as JSON; "
        "Ctrl+S saves one into the folder logs of the account."
    ),
    "Journal": (
        "Every outcome with its bookings, written before it is shown and never changed; each entry "
        "holds the hash of the one before (SHA-256), so damage is noticed."
    ),
    "Tape": (
        "Every message and command of a session as it came, compressed; played again, at 0.1 to "
        "1,000 times its pace, it gives the same ledger, digit for digit."
    ),
    "Trash": (
        "A folder of the profile that sessions are put into, for example 3 tapes of 48 MB. Nothing "
        "is deleted; the button Trash\u2026 of the library brings it back."
    ),
    "Profile": (
        "The 1 folder with all that is yours here: settings, journals, tapes, runs of the lab. "
        "The command basisdesk doctor says where it is."
    ),
    "Workspace": (
        "Panels and windows as they stand, kept under a name; no trade and no setting is part of "
        "it; for example Small screen, the desk alone in 1,280 x 800 pixels."
    ),
    "Chart window": (
        "One more window with charts: linked to the desk's pair, or on a pair of its own whose "
        "feeds stay connected; 4 at most."
    ),
    "Command palette": (
        "Everything the desk can do, found by 2 or 3 letters of its name, Ctrl+K; for example ada "
        "kraken, or light."
    ),
    "Diagnostics": (
        "Versions, figures, changed settings and the last lines of the log, for example 200, for a "
        "fault report. Names, addresses, passwords, folders and money are taken out."
    ),
    "Maker and taker": (
        "A taker trades at once against the book, a maker rests in it and pays less; for example "
        "5.5 and 2.0 bp of a perpetual's notional."
    ),
    "Fee tier": (
        "The rates that a venue gives by volume or holdings. The settings fill in a tier's four "
        "rates with source and date; for example Bybit VIP 0, taker 10 bp on spot."
    ),
    "Proxy": (
        "A machine that passes the desk's connections on to the venues, for example at port 3128; "
        "what it passes stays encrypted up to the venue itself."
    ),
    "Webhook": (
        "An https address of your own that the text of an alert is sent to, 1 request each. Only "
        "its host is ever shown, as the rest may hold a secret."
    ),
    "Demo exchange": (
        "A market made up on this machine, four venues in small, the same again for the same seed "
        "and scenario; for example seed 7, mixed."
    ),
    "Scenario": "The story that the demo exchange plays; for example crash, or 2021 mania.",
    "Watchdog": (
        "A part of the program that sees when its window stands still, for example 250 ms, and "
        "writes into the log where."
    ),
}
