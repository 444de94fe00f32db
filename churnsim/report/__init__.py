"""What is shown to people: settings, fits and results as text."""
