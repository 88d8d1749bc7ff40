"""All faults by name, and how a job meets the one it asks for. No I/O."""

from . import streams
from .bodies import BODIES
from .breaks import BREAKS
from .cases import CASES
from .errors import PLAIN_STYLES, STYLES, Refused
from .job import Job
from .reply import Reply
from .shapes import SHAPES
from .statuses import STATUSES

FAULTS = {recipe.name: recipe for recipe in (*CASES, *STATUSES, *BREAKS, *BODIES)}
SHAPE_NAMES = (*(shape.name for shape in SHAPES), *streams.BY_NAME)


def check(job: Job) -> None:
    """Raises Refused (400) for a name that is in no list: a misspelt fault must not look like a good answer."""
    for kind, name, known in (
        ("fault", job.ask.fault, FAULTS),
        ("once", job.ask.once, FAULTS),
        ("shape", job.ask.shape, SHAPE_NAMES),
        ("error", job.ask.error, (*STYLES, *PLAIN_STYLES)),
    ):
        if name and name not in known:
            raise Refused(400, f"Simulator: no {kind} is called {name!r}; see python -m tests.simulator --list")


def reply(job: Job) -> Reply:
    """The reply with the fault of the job, or the plain one."""
    # With "once" the first, third, ... sight of the same request meets the fault.
    name = job.ask.fault or (job.ask.once if job.attempt % 2 else "")
    return FAULTS[name].build(job) if name else streams.plain(job)
