"""Load tests: traders that lodge, a schedule that waits for nobody, and an audit of what became of it all."""
