"""Keeping connections to venues alive; the only package with sockets to them."""
