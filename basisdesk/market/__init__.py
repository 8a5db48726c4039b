"""What is true now: books, series, basis, funding. Pure."""
