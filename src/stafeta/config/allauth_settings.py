"""What django-allauth is told; `settings.py` includes it."""
