"""One program a system; each measures itself when told to (`protocol`)."""
