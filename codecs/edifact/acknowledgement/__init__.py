"""What a receiver says of what it got: CONTRL of its syntax, APERAK of its content."""
