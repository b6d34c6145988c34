"""How good a network is: metrics, protocols, reports."""
