"""Dynamical systems: flows, integrators, samplers of initial conditions, validity tests, Lyapunov exponents."""
