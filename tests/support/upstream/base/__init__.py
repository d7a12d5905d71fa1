"""What every scripted upstream stands on; the vendors' own modules lie beside this package."""
