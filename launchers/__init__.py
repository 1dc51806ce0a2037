"""Command line programs: flags, gin, one call."""
