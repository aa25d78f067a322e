"""Forecast jobs, scores, comparisons, claims and the checks of finished results."""
