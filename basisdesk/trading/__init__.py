"""What we do: orders, paper execution, costs, margin, risk, positions. Pure."""
