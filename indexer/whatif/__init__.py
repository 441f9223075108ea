"""What if: the influence of texts that were not trained on, and of a document that says something else.

given    texts as somebody gives them, typed or in a file
read     a text as a stage of training would have read it
scores   its exact influence: about one pass
steps    what is computed for one answer
result   the same as JSON, for the dashboard's worker and for --json
command  the command line
job      the function that the dashboard's worker calls
"""
