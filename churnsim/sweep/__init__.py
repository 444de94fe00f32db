"""Many points of one scenario: described in a file, run, kept, and gone on with."""
