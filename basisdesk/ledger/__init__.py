"""Double entry, attribution and the journal."""
