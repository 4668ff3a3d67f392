"""The real thing: web server, workers, SMTP, SMS, and people with browsers."""
