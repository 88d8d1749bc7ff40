"""The project's settings for a server under proof. Nothing of the application is replaced.

`FAULTS_LIMITS`, as "no_progress=1.0 total=5": shorter deadlines for providers; a test need not wait for minutes then.
"""

import os
from dataclasses import replace

from conversations.providers import call

wished = dict(word.split("=") for word in os.environ.get("FAULTS_LIMITS", "").split())
# Before anything that uses them is imported. They are numbers of the code, not settings of an installation.
call.DEFAULT_LIMITS = replace(call.DEFAULT_LIMITS, **{name: float(value) for name, value in wished.items()})  # type: ignore[arg-type]

from chatsite.settings import *  # noqa: E402, F403
