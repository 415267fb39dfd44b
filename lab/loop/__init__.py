"""Closes the loop on this machine: fields teach a model, which is signed, tried on some gateways and then runs on all."""
