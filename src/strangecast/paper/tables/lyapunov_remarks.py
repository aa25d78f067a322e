"""What is known of single systems that their row in the table of exponents does not say."""

REMARKS: dict[str, str] = {}
