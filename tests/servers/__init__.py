"""Servers that stand in for providers; the SMTP server and the SMS gateway are in `stafeta.cli.receivers`."""
