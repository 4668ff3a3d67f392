"""The outside world: how a rendered message leaves the house. One file a channel; no database, no clock."""
