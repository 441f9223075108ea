"""`plan`: what a build and a question will take, before anything is computed.

shapes    of a model: each kind of layer once, with how many there are; pure
speeds     how fast a device does each kind of work: assumed; pure
work      what each kind of work takes, a formula each; pure
inside    heads and neurons: seconds, rows and bytes; pure
verbatim  suffix arrays over the corpus: the same; pure
memory    what each stage holds, counted; pure
forecast  from these: seconds, memory and disk of each stage; pure
advice    which setting to change where it does not fit; pure
outlined  shapes and sizes before anything is opened: the first answer
sample    the documents that are measured on; pure
measured  the speeds of this machine, one layer of each shape
command   the command line
"""
