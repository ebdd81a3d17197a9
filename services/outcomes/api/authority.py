"""Who stands behind a request at the EHR's door: the sender whose token it carries."""

from flask import g

from services.chassis.http.auth import Authority, bearer_token, unauthorized
from services.chassis.http.problem import ProblemError
from services.outcomes.senders import Senders


def of_senders(senders: Senders) -> Authority:
    """Lets a request through whose token is some sender's; the routes then see that sender's own.

    A missing, wrong or revoked token is answered with one bare 401.
    """

    def check() -> None:
        name = senders.of_token(bearer_token())
        if name is None:
            raise ProblemError(unauthorized())
        g.sender = name

    return Authority("sender", check)


def sender() -> str:
    """The name of the sender that the request is from."""
    name: str = g.sender
    return name
