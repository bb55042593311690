"""The EDIFACT library beside its peers and beside plain `bytes.split`, on generated declarations."""
