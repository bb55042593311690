"""EDIFACT messages and the canonical declaration and response: CUSDEC and CUSRES, both ways."""
