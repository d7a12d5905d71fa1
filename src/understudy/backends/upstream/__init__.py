"""One file for each upstream; nothing else lives here."""
