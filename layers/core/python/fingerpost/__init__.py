"""Fingerpost: every physical thing gets a short URL, and rules decide where a scan of it goes."""
