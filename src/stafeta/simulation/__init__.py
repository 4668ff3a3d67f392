"""Whole lives against the real services and the real database, in virtual time, under every fault we know of.

`script` draws what will happen from a seed, `world` lets it happen, `people` live in it, `providers`, `crashes` and
`troubles` are what goes wrong, and `judge` says on its own what must never be. Nothing here decides anything about a
release; what does is the house below.
"""
