"""What a layer is: its spec, its computation, its saved form."""
