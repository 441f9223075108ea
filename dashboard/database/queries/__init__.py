"""All SQL of the dashboard: one function per question, named by it, values bound. Nothing here knows Streamlit."""
