"""Takes models to gateways: signed releases, which gateways run one, and whether it goes on to more."""
