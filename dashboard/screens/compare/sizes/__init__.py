"""The sizes of a family on one prompt and on all: what is compared, with no widget and no drawing."""
