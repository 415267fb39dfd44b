"""Drills: what goes wrong in the field, in compressed time, through the gateways' and the pipeline's own code; an oracle judges each."""
