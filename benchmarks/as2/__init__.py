"""AS2 beside the cryptography it cannot do without, and beside pyas2lib, on the same bytes."""
