"""`python -m chatsite.alive`: whether the server beside it answers, for health checks. The standard library only.

Asks by the first of ALLOWED_HOSTS, because a server answers to its own names alone.
"""

import http.client
import os
import sys

TIMEOUT = 4  # seconds


def is_alive() -> bool:
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip().lstrip(".")
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=TIMEOUT)
    try:
        connection.request("GET", "/healthz", headers={"Host": host})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not is_alive())
