"""Context: an answer from documents, what it took from which, what it cites."""

from dashboard.address.screen import Screen

RECORD = Screen(name="context", title="Context", order=6, of_answer=True, of_documents=True)
