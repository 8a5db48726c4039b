"""The window. Reads state on its own beat."""
