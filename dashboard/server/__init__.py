"""The web server: its gate, its door, its security policy."""
