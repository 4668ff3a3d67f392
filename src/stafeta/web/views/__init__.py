"""Requests: parsed, one service called, rendered."""
