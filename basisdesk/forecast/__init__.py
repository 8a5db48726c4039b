"""What may be true next. Arrives with the forecast issue."""
