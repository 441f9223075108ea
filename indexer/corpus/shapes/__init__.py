"""How files of documents name what training was made of: columns, and messages of other makes."""
