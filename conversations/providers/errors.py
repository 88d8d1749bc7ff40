"""The error tree of the providers. Failure is raised, never yielded; each class has a stable code.

ProviderError
├── NotConfigured        not_configured    no key, or the model is not offered any more
│   └── NotAllowed       not_allowed       the model is not open to this person (any more)
├── PrivateAddress       private_address   the endpoint is not on the public internet, and nobody allowed that
├── AuthenticationFailed auth              the key is wrong or lacks the permission
├── OutOfCredit          credits           the account is empty
├── RateLimited          rate_limited      too many requests; `retry_after` in seconds where the provider says it
├── Rejected             bad_request       the provider refused the request as malformed
│   └── SystemRefused    bad_request       ... because it takes no system instruction (answered by one resend)
├── TooLarge             too_large         request or reply beyond a limit
├── NotFound             not_found         no such model or path
├── TimedOut             timeout           nothing, or no progress, for too long
├── Unavailable          provider_down     5xx, a maintenance page
│   └── Unreachable      network           no connection, or one that broke before the first character
├── BrokenStream         interrupted       the stream ended or broke after it had begun
├── Blocked              blocked           the prompt or the whole answer was refused by a filter
├── NoImage              no_image          asked for a picture, none was drawn
├── EmptyReply           empty_reply       success without any content; `token_limit` where that was the cause
├── UnexpectedReply      unexpected_reply  a body that nobody can read
└── Cancelled            stopped           we closed the call ourselves (stop, deletion, shutdown)

`detail` is the provider's own text: at most 500 characters, keys cut out, hostile, to be escaped where it is shown.
"""


class ProviderError(Exception):
    """Something kept the provider from answering."""

    code = "error"

    def __init__(self, detail: str = "", *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail[:500]
        self.status = status
        self.retry_after = retry_after


class NotConfigured(ProviderError):
    code = "not_configured"


class NotAllowed(NotConfigured):
    code = "not_allowed"


class PrivateAddress(ProviderError):
    code = "private_address"


class AuthenticationFailed(ProviderError):
    code = "auth"


class OutOfCredit(ProviderError):
    code = "credits"


class RateLimited(ProviderError):
    code = "rate_limited"


class Rejected(ProviderError):
    code = "bad_request"


class SystemRefused(Rejected):
    """The model takes no system instruction; resend once with the system text before the first user text."""


class TooLarge(ProviderError):
    code = "too_large"


class NotFound(ProviderError):
    code = "not_found"


class TimedOut(ProviderError):
    code = "timeout"


class Unavailable(ProviderError):
    code = "provider_down"


class Unreachable(Unavailable):
    code = "network"


class BrokenStream(ProviderError):
    code = "interrupted"


class Blocked(ProviderError):
    code = "blocked"


class NoImage(ProviderError):
    code = "no_image"


class EmptyReply(ProviderError):
    code = "empty_reply"

    def __init__(self, detail: str = "", *, token_limit: bool = False) -> None:
        super().__init__(detail)
        self.token_limit = token_limit


class UnexpectedReply(ProviderError):
    code = "unexpected_reply"


class Cancelled(ProviderError):
    code = "stopped"
