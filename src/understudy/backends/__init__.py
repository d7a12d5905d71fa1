"""Who plays the part: one interface, and one file for each upstream."""
