"""Settings from the environment, addresses, WSGI, system checks."""
