"""Tables, figures, report and paper, drawn from result tables alone."""
