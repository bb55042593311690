"""Pure decisions over values: which agencies, in which order, and what their answers amount to."""
