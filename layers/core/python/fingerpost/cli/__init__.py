"""The command line `fingerpost`. It speaks to a server over HTTP alone; no function imports it, no layer carries it."""
