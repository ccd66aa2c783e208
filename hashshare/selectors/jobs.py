"""Jobs as the organisation that caused them polls them."""

from __future__ import annotations

import uuid

from hashshare.models import Job
from hashshare.selectors.callers import Caller
from hashshare.wire import errors


def job(*, caller: Caller, job_id: uuid.UUID | str) -> Job:
    """Raises NotEntitled for another's or none, and for a part of a job, which only the hub itself looks at."""
    try:
        key = job_id if isinstance(job_id, uuid.UUID) else uuid.UUID(job_id)
    except ValueError as error:
        raise errors.NotEntitled from error
    found = Job.objects.filter(pk=key, organisation=caller.organisation, parent=None).first()
    if found is None:
        raise errors.NotEntitled
    return found
