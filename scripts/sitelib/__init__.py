"""What the scripts of the site share. Python 3.8 and its standard library."""
