"""The reader: what analysts see. Streamlit on one side, one read-only database on the other, no tensor anywhere."""
