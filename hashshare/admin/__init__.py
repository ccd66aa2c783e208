"""HTTP for people: the admin site, the invitation page, the coalition statistics.

Only `tables` may import models, because Django registers a class; everything else goes through services and selectors.
"""
