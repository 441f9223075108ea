"""`plan`: what a build will take, before it is started.

outlined  sizes and assumed speeds, before anything is opened: the first answer
units     seconds of each kind of work on this machine, measured on a few documents and one prompt
forecast  from these and the sizes of everything: seconds, memory and disk of each stage
command   the command line
"""
