"""What a web server of any kind calls."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from config.unfinished import refuse_unfinished

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

refuse_unfinished(settings.HASHSHARE_DATA)

application = get_wsgi_application()
