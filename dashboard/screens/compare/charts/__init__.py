"""What sets sizes apart, as plotly figures."""
