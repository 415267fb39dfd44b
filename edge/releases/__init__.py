"""Takes releases of models to a gateway that runs: fetched and tried by children, swapped between windows, taken back if they fail."""
