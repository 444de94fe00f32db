"""Two engines for one model, and the books that both fill."""
