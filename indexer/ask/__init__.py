"""`ask`: a new prompt takes the road of the indexed ones: answer, candidates, exact scores.

opened   one size of a published build, held open between questions
steps    what is computed for one prompt, in the order in which it is shown
result   the same as JSON, for the dashboard's worker and for --json
command  the command line
job      the function that the dashboard's worker calls
"""
