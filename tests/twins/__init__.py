"""Twins: the engines run the same setups and must agree to the last bit.

`strategies` draws setups from the whole space of settings, `comparing` runs the engines
on one and reports the first moment at which they part.
"""
