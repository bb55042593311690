"""`submit`: lodge documents as a trader would, and verify each receipt."""
