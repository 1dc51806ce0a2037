"""How fast this library trains and acts, beside what users would pick instead."""
