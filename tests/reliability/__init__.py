"""What is promised of runs that die, shown at full length."""
