"""Compare what churnsim computes with what is known from outside it."""
